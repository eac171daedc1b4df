# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 26 to 44 of doc/revocation.md: what a CRL speaks about, and what may be concluded from its silence."""
import pytest

from cases import CA, Cases, make_case_world
from lab import crl
from lab.crl import entry, extension, scope, seq, tlv

pytestmark = pytest.mark.once

CASES = Cases()
SHARD = "http://crl.example/shard-%d.crl"


@pytest.fixture(scope="module")
def w(make_world):
    return make_case_world(make_world, CASES)


def declare(name, n=1, **how):
    return CASES.authority(name, devices=n, **how)


def held_then(w, a, *later):
    """Device 0 is on hold; then come those CRLs, with growing numbers. Is it free again?"""
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.HOLD)))
    w.expect(a, cut=[0], free=range(1, len(a.devices)))
    for number, (entries, bend) in enumerate(later, 2):
        w.publish(a, a.ca.crl(*entries, number=number, **bend))
    return bool(w.through(a.devices[0], expected=[a.devices[0].name]))


A26, B26 = declare("c26-a"), declare("c26-b")


def test_26_same_serial_of_another_issuer(w):
    assert A26.serial(0) == B26.serial(0)
    w.publish(A26, A26.ca.crl(entry(A26.serial(0))))
    w.expect(A26, cut=[0])
    w.expect(B26, free=[0])


A27 = declare("c27", 2, ca=CA("c27", name_der=crl.name("The  Factory CA", "EXAMPLE", kind=0x13)))


def test_27_names_that_are_written_differently(w):
    same = crl.name("the factory ca", "Example")
    assert w.publish(A27, A27.ca.crl(entry(A27.serial(0)), issuer=same))["error"] is None
    w.expect(A27, cut=[0], free=[1])


A28 = declare("c28", 2, known=True)


def test_28_of_cas_only(w):
    w.publish(A28, A28.ca.crl(entry(A28.serial(0), crl.HOLD), more=[scope(cas=True)]))
    w.expect(A28, cut=[0], free=[1])
    w.publish(A28, A28.ca.crl(number=2, more=[scope(cas=True)]))
    w.expect(A28, cut=[0], free=[1])
    w.wait_check(A28.devices[1], "unchecked")
    w.publish(A28, A28.ca.crl(number=3))
    w.expect(A28, free=[0, 1])
    w.wait_check(A28.devices[1], "clean")


ROOT29 = CA("c29-root")
R29 = declare("c29-root", 0, ca=ROOT29)
A29 = declare("c29", 1, ca=CA("c29", issuer=ROOT29), known=True)


def test_29_of_users_only(w):
    """The intermediate is on hold; a CRL of users' certificates says nothing about it."""
    w.publish(A29, A29.ca.crl())
    w.publish(R29, ROOT29.crl(entry(A29.ca.serial, crl.HOLD)))
    w.expect(A29, cut=[0])
    w.publish(R29, ROOT29.crl(number=2, more=[scope(users=True)]))
    w.expect(A29, cut=[0])
    w.publish(R29, ROOT29.crl(number=2))
    w.expect(A29, free=[0])


A30 = declare("c30", 2, known=True, cdp=[SHARD % 7])


def test_30_another_shard(w):
    w.publish(A30, A30.ca.crl(entry(A30.serial(0), crl.HOLD), more=[scope([SHARD % 1])]))
    w.expect(A30, cut=[0], free=[1])
    w.wait_check(A30.devices[1], "unchecked", "stale")
    w.publish(A30, A30.ca.crl(number=2, more=[scope([SHARD % 1])]))
    w.expect(A30, cut=[0], free=[1])


A31 = declare("c31", 2, known=True, cdp=[SHARD % 7])


def test_31_its_shard(w):
    shard = {"more": [scope([SHARD % 7])]}
    w.publish(A31, A31.ca.crl(entry(A31.serial(0), crl.HOLD), **shard))
    w.expect(A31, cut=[0], free=[1])
    w.wait_check(A31.devices[1], "clean")
    w.publish(A31, A31.ca.crl(number=2, **shard))
    w.expect(A31, free=[0, 1])


A32 = declare("c32", 0, crl=", ".join(f'"file://{{folder}}/c32-{i}.crl"' for i in range(3)))
D32 = [A32.add(serial=50 + i, certificates=[A32.ca.issue(50 + i, cdp=[SHARD % i])]) for i in range(3)]


def test_32_one_shard_is_stale(w):
    for i in range(3):
        w.put(f"c32-{i}.crl", A32.ca.crl(more=[scope([SHARD % i])], next=-1 if i == 1 else 24,
                                         this=crl.now() - crl.DAY))
    w.refresh(A32)
    for device, word in zip(D32, ("clean", "stale", "clean")):
        w.wait_check(device, word)
    w.expect(A32, free=[0, 1, 2])


STEP = {"more": [scope(["http://ca.example/crl"])]}
A33, A33_ALL = (declare(name, 2, known=True, crl=text) for name, text in
                (("c33", None), ("c33-all", '{ url = "file://{folder}/{name}.crl"; covers = "all"; }')))


def test_33_shard_named_but_not_in_the_certificate(w):
    source = w.publish(A33, A33.ca.crl(entry(A33.serial(0), crl.HOLD), **STEP))
    w.expect(A33, cut=[0], free=[1])
    w.wait_check(A33.devices[1], "unchecked")
    assert source["error"] == "E_SCOPE" and "covers" in source["error_text"]
    w.publish(A33, A33.ca.crl(number=2, **STEP))
    w.expect(A33, cut=[0], free=[1])
    w.publish(A33_ALL, A33_ALL.ca.crl(entry(A33_ALL.serial(0), crl.HOLD), **STEP))
    w.expect(A33_ALL, cut=[0], free=[1])
    w.wait_check(A33_ALL.devices[1], "clean")
    w.publish(A33_ALL, A33_ALL.ca.crl(number=2, **STEP))
    w.expect(A33_ALL, free=[0, 1])


A34 = declare("c34", 2, known=True, crl='"file://{folder}/c34-a.crl", "file://{folder}/c34-b.crl"')


def test_34_some_reasons(w):
    half, rest = (1, 2, 3, 4), (5, 6, 7, 8)

    def put(which, *entries, number=1, reasons=half):
        w.put(f"c34-{which}.crl", A34.ca.crl(*entries, number=number, more=[scope(reasons=reasons)]))
        w.refresh(A34)
    put("b", entry(A34.serial(0), crl.HOLD), reasons=rest)
    w.expect(A34, cut=[0], free=[1])
    w.wait_check(A34.devices[1], "unchecked", "stale")
    put("b", number=2, reasons=rest)
    w.expect(A34, cut=[0], free=[1])
    put("a")
    w.expect(A34, free=[0, 1])
    w.wait_check(A34.devices[1], "clean")


A35 = declare("c35")


@pytest.mark.parametrize("bad", [scope(users=True, cas=True), scope(raw=seq()), scope(attributes=True)],
                         ids=["two", "empty", "attributes"])
def test_35_impossible_scopes(w, bad):
    assert w.publish(A35, A35.ca.crl(entry(A35.serial(0)), more=[bad]))["error"] == "E_IDP"
    w.expect(A35, free=[0])


ROOT36 = CA("c36-root")
R36 = declare("c36-root", 0, ca=ROOT36)
SIGNER36 = CA("c36-signer", issuer=ROOT36)
S36 = declare("c36-signer", 1, ca=SIGNER36)
LISTS = dict(files={"c36-issuer.pem": crl.pem(SIGNER36.certificate, "CERTIFICATE")},
             options='crl_issuer = "{pki}/c36-issuer.pem";', crl='"file://{folder}/c36-signer.crl"')
A36 = declare("c36-a", 2, ca=CA("c36-a", issuer=ROOT36), **LISTS)
B36 = declare("c36-b", 1, ca=CA("c36-b", issuer=ROOT36))


def test_36_indirect(w):
    """One list for all: what it says of an authority counts where that one names its signer."""
    assert S36.serial(0) == A36.serial(0) == B36.serial(0)
    w.publish(S36, SIGNER36.crl(entry(A36.serial(0), issuer=A36.ca.name), entry(B36.serial(0), issuer=B36.ca.name),
                                more=[scope(indirect=True)]))
    w.refresh(A36)
    w.expect(S36, free=[0])
    w.expect(A36, cut=[0], free=[1])
    w.expect(B36, free=[0])


A37 = declare("c37", 2)
B37 = CA("c37-other")


def test_37_inherited_issuer(w):
    """A hundred thousand entries of somebody else's, then ours again."""
    serial = A37.serial(0)
    foreign = b"".join(entry(2 ** 64 + n) for n in range(100000))
    both = [entry(1, issuer=B37.name), foreign, entry(A37.serial(1))]
    w.publish(A37, A37.ca.crl(*both, entry(serial, issuer=A37.ca.name), more=[scope(indirect=True)]))
    w.expect(A37, cut=[0], free=[1])


A38 = declare("c38")


def test_38_issuer_in_a_crl_that_is_not_indirect(w):
    assert w.publish(A38, A38.ca.crl(entry(A38.serial(0), issuer=A38.ca.name)))["error"] == "E_IDP"
    w.expect(A38, free=[0])


A39 = declare("c39", 2)
UNKNOWN = extension("1.3.6.1.4.1.99999.1", tlv(5), critical=True)


def test_39_unknown_critical_extension(w):
    w.publish(A39, A39.ca.crl(entry(A39.serial(0))))
    source = w.publish(A39, A39.ca.crl(entry(A39.serial(1)), number=2, more=[UNKNOWN]))
    assert source["error"] == "E_CRITICAL" and source["state"] == "fresh" and int(source["number"], 16) == 1
    w.expect(A39, cut=[0], free=[1])


A40 = declare("c40", 2)


def test_40_unknown_critical_extension_of_an_entry(w):
    for entries in ([entry(9, more=[UNKNOWN])], [entry(9, tlv(2, b"\1"), more=[UNKNOWN])],
                    [entry(8, tlv(2, b"\1")), entry(9, more=[UNKNOWN])]):
        assert w.publish(A40, A40.ca.crl(entry(A40.serial(0)), *entries))["error"] == "E_CRITICAL"
    w.expect(A40, free=[0, 1])


A41 = declare("c41", 2)


def test_41_unknown_extension(w):
    harmless = extension("1.3.6.1.4.1.99999.1", tlv(5))
    assert w.publish(A41, A41.ca.crl(entry(A41.serial(0), more=[harmless]), more=[harmless]))["error"] is None
    w.expect(A41, cut=[0], free=[1])


A42, A42_MANUAL = declare("c42", 2), declare("c42-manual", 2, options='hold = "manual";')


def test_42_hold(w):
    assert held_then(w, A42, ((), {}))
    assert not held_then(w, A42_MANUAL, ((), {}))
    w.cordon.ctl("device", "release", A42_MANUAL.devices[0].name, "--revoked", "--reason", "found again")
    w.expect(A42_MANUAL, free=[0, 1])


A43 = declare("c43", 2, known=True)


def test_43_no_longer_listed(w):
    w.publish(A43, A43.ca.crl(entry(A43.serial(0), crl.KEY_COMPROMISE)))
    source = w.publish(A43, A43.ca.crl(number=2))
    w.expect(A43, cut=[0], free=[1])
    assert source["error"] == "E_UNREVOKED"


A44 = declare("c44", 0)
D44 = A44.add(serial=44, certificates=[A44.ca.issue(44, days=(-30, -1))])


def test_44_expired_and_no_longer_listed(w):
    w.publish(A44, A44.ca.crl(entry(44, crl.KEY_COMPROMISE)))
    w.expect(A44, cut=[0])
    source = w.publish(A44, A44.ca.crl(number=2))
    w.expect(A44, cut=[0])
    assert source["error"] is None


A43_FREED = declare("c43-freed", 2, known=True)


def test_43_overridden_by_an_operator(w):
    """It does not come back, raises no alarm when the CA agrees, and counts again when it is another."""
    a, device = A43_FREED, A43_FREED.devices[0]
    day = crl.now() - crl.DAY
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.KEY_COMPROMISE, date=day)))
    w.expect(a, cut=[0], free=[1])
    w.cordon.ctl("device", "release", device.name, "--revoked", "--reason", "the CA was wrong")
    w.expect(a, free=[0, 1])
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.KEY_COMPROMISE, date=day), number=2))
    w.expect(a, free=[0, 1])
    assert w.publish(a, a.ca.crl(number=3))["error"] is None
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.KEY_COMPROMISE), number=4))
    w.expect(a, cut=[0], free=[1])
