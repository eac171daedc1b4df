# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 85 to 94 of doc/revocation.md: who issued whom, and which devices there are."""
import pytest

from cases import CA, Cases, Key, make_case_world
from lab import crl
from lab.crl import entry
from lab.topology import wait_for

pytestmark = pytest.mark.once

CASES = Cases(appliance=('brake = { devices = 100; within = "1h"; };',))


@pytest.fixture(scope="module")
def w(make_world):
    return make_case_world(make_world, CASES)


def declare(name, n=2, **how):
    return CASES.authority(name, devices=n, known=how.pop("known", True), **how)


def hierarchy(name, n=2, **how):
    """A root, and an authority below it with devices."""
    root = CA(f"{name}-root")
    return declare(f"{name}-root", 0, ca=root), declare(name, n, ca=CA(name, issuer=root), **how)


R85, A85 = hierarchy("c85", 20)
B85 = declare("c85-other", 2, ca=CA("c85-other", issuer=R85.ca))


def test_85_an_intermediate_takes_its_batch(w):
    before = w.cordon.generation()
    w.publish(R85, R85.ca.crl(entry(A85.ca.serial, crl.SUPERSEDED)))
    w.expect(A85, cut=range(20))
    w.expect(B85, free=[0, 1])
    assert w.cordon.generation() - before <= 2      # one transaction, and its second look
    assert w.shown(A85.devices[3])["revoked"]["evidence"] == "issuer"


R86, A86 = hierarchy("c86")
R86_B = declare("c86-root-b", 0)
A86_CROSS = CA("c86", issuer=R86_B.ca, digest_key=A86.ca.key)
A86.certificates.append(A86_CROSS)
R86_K, A86_K = hierarchy("c86-key")
R86_KB = declare("c86-key-root-b", 0)
A86_K.certificates.append(CA("c86-key", issuer=R86_KB.ca, digest_key=A86_K.ca.key))


def test_86_another_path_keeps_the_batch(w):
    w.publish(R86, R86.ca.crl(entry(A86.ca.serial, crl.SUPERSEDED)))
    w.expect(A86, free=[0, 1])
    w.publish(R86_B, R86_B.ca.crl(entry(A86_CROSS.serial, crl.CESSATION)))
    w.expect(A86, cut=[0, 1])


def test_86_a_compromised_key_has_no_other_path(w):
    w.publish(R86_K, R86_K.ca.crl(entry(A86_K.ca.serial, crl.KEY_COMPROMISE)))
    w.expect(A86_K, cut=[0, 1])


def rolled(name, **how):
    """An authority with an old key, which issued its devices, and a new one."""
    a = declare(name, 2, **how)
    a.certificates.append(CA(name, name_der=a.ca.name))
    return a, a.certificates[1]


A87, NEW87 = rolled("c87")
A87_SHARED, NEW87_SHARED = rolled("c87-shared", options='rollover = "shared";')


@pytest.mark.parametrize("a, new, released", [(A87, NEW87, False), (A87_SHARED, NEW87_SHARED, True)],
                         ids=["per-key", "shared"])
def test_87_rolled_over(w, a, new, released):
    w.publish(a, new.crl(entry(a.serial(0), crl.HOLD)))
    w.expect(a, cut=[0], free=[1])
    w.publish(a, new.crl(number=2))
    if not released:
        w.expect(a, cut=[0], free=[1])
        w.publish(a, a.ca.crl(number=1))        # of the key that issued it
    w.expect(a, free=[0, 1])


R88, A88 = hierarchy("c88")
SIGNER88 = CA("c88-signer", issuer=R88.ca, usage=(crl.CRL_SIGN,), ca=False)
B88 = declare("c88-named", 2, ca=CA("c88-named", issuer=R88.ca),
              files={"c88-signer.pem": crl.pem(SIGNER88.certificate, "CERTIFICATE")},
              options='crl_issuer = "{pki}/c88-signer.pem";')


def test_88_delegated_issuer(w):
    def listed(a):
        return SIGNER88.crl(entry(a.serial(0), issuer=a.ca.name), more=[crl.scope(indirect=True)])
    assert w.publish(A88, listed(A88))["error"] == "E_SIGNER"
    w.expect(A88, free=[0, 1])
    assert w.publish(B88, listed(B88))["error"] is None
    w.expect(B88, cut=[0], free=[1])


A89 = declare("c89", 0)
KEY89 = [Key(), Key()]
D89 = [A89.add(serial=10 * i + 1, certificates=[A89.ca.issue(10 * i, key=old), A89.ca.issue(10 * i + 1, key=new)])
       for i, (old, new) in enumerate([(Key(), Key()), (KEY89[0], KEY89[0]), (Key(), Key())], 1)]


def test_89_renewed(w):
    w.publish(A89, A89.ca.crl(entry(10, crl.SUPERSEDED), entry(20, crl.KEY_COMPROMISE)))
    w.expect(A89, cut=[1], free=[0, 2])
    assert w.shown(D89[1])["revoked"]["evidence"] in ("certificate", "key")
    w.publish(A89, A89.ca.crl(entry(10, crl.SUPERSEDED), entry(11), entry(20, crl.KEY_COMPROMISE), number=2))
    w.expect(A89, cut=[0, 1], free=[2])


A90 = declare("c90", 1)


def test_90_added_after_the_crl(w):
    """It is looked up before it gets any access: not one packet."""
    ca = A90.ca
    w.publish(A90, ca.crl(entry(77)))
    late = A90.add(serial=77, certificates=[ca.issue(77)])
    good = A90.add(serial=78, certificates=[ca.issue(78)])
    w.site.write()
    with w.knocking(late) as arrived:
        w.cordon.apply()
        w.wait_free(good)
    assert arrived() == 0
    w.expect(A90, cut=[1], free=[0, 2])


A91 = declare("c91", 2)


def test_91_removed_and_back(w):
    w.publish(A91, A91.ca.crl(entry(A91.serial(0))))
    w.expect(A91, cut=[0], free=[1])
    gone = A91.devices.pop(0)
    w.apply()
    A91.devices.insert(0, gone)
    w.site.write()
    with w.knocking(gone) as arrived:
        w.cordon.apply()
        w.wait_free(A91.devices[1])
    assert arrived() == 0
    w.expect(A91, cut=[0], free=[1])


A92 = declare("c92", 1)
D92 = A92.add(serial=A92.serial(0), certificates=A92.devices[0].certificates)


def test_92_two_with_one_certificate(w):
    assert w.authority_row(A92)["clones"] == 2
    w.publish(A92, A92.ca.crl(entry(A92.serial(0))))
    w.expect(A92, cut=[0, 1])


A94, A94_CUT = declare("c94", 2, crl=""), declare("c94-cut", 2, crl="", options='when_unchecked = "quarantine";')


def test_94_no_source(w):
    w.expect(A94, free=[0, 1])
    w.wait_check(A94.devices[0], "unchecked")
    assert w.authority_row(A94)["unchecked"] == 2
    w.wait_cut(*A94_CUT.devices)
    wait_for("it to be shown", lambda: w.check(A94_CUT.devices[0]) == "unchecked")


# ---- the brake ---------------------------------------------------------------------

R85_BRAKE, A85_BRAKE = hierarchy("c85-brake", 120)


def test_85_a_batch_beyond_the_brake_waits(w):
    w.publish(R85_BRAKE, R85_BRAKE.ca.crl(entry(A85_BRAKE.ca.serial)))
    w.expect(A85_BRAKE, free=range(0, 120, 10))
    wait_for("it to wait", lambda: w.status()["pending"] == 120)
    w.cordon.ctl("pending", "confirm", "--all")
    w.expect(A85_BRAKE, cut=range(0, 120, 10))
