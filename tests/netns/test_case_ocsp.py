# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 95 to 102 of doc/revocation.md: what an OCSP responder says, and what it may not do."""
import signal

import pytest

from cases import CA, Cases, Key, make_case_world
from lab import crl, ocsp
from lab.crl import entry
from lab.topology import wait_for

pytestmark = pytest.mark.once

CASES = Cases()
ASKED = 'ocsp = { url = "http://{web}:8080/{name}"; devices = "all"; refresh = "1s"; max_age = "1h"; };'


@pytest.fixture(scope="module")
def w(make_world):
    world = make_case_world(make_world, CASES)
    world.responder = ocsp.Responder(world.lab.web, 8080)
    yield world
    world.responder.close()


def declare(name, n=2, options="", **how):
    return CASES.authority(name, devices=n, known=True, options=ASKED + options, **how)


def answered(w, a, n=2):
    """The responder has been asked so many times more."""
    before = w.responder.count(a.name)
    wait_for("the responder to be asked", lambda: w.responder.count(a.name) >= before + n, 15)


A95 = declare("c95")


def test_95_good_does_not_lift_a_crl(w):
    w.responder.say(A95, lambda q: ocsp.response(A95.ca, q, "good"))
    w.publish(A95, A95.ca.crl(entry(A95.serial(0), crl.HOLD)))
    w.expect(A95, cut=[0], free=[1])
    answered(w, A95, 4)
    w.expect(A95, cut=[0], free=[1])


A96 = declare("c96")


def test_96_revoked_though_no_crl_says_so(w):
    w.publish(A96, A96.ca.crl())
    w.responder.say(A96, lambda q: ocsp.response(A96.ca, q, "revoked" if q.serial == A96.serial(0) else "good"))
    w.wait_cut(A96.devices[0], timeout=20)
    w.expect(A96, cut=[0], free=[1])
    assert w.shown(A96.devices[0])["revoked"]["evidence"] == "ocsp"


A97 = declare("c97")
A97_CUT = CASES.authority("c97-cut", devices=2, known=True, options=ASKED.replace(
    'max_age = "1h";', 'max_age = "1h"; unknown = "quarantine";'))


def test_97_unknown(w):
    for a in (A97, A97_CUT):
        w.publish(a, a.ca.crl())
        w.responder.say(a, lambda q, a=a: ocsp.response(a.ca, q, "unknown" if q.serial == a.serial(0) else "good"))
    w.wait_cut(A97_CUT.devices[0], timeout=20)
    w.expect(A97_CUT, cut=[0], free=[1])
    wait_for("it to be told", lambda: w.authority_row(A97)["ocsp_unknown"] == 1, 20)
    w.expect(A97, free=[0, 1])
    # cordon-pki has forgotten what it heard: it asks before it lets anybody out
    device = A97_CUT.devices[0]
    assert w.cordon.kill("cordon-pki", signal.SIGKILL)
    answered(w, A97_CUT, 4)
    history = w.cordon.ask("device", "history", device.name)["history"]
    assert "released" not in [e["what"] for e in history]
    w.expect(A97_CUT, cut=[0], free=[1])


OTHER = CA("c100-other")


def delegate(a, **how):
    """A certificate that the authority issued for its responder."""
    more = [crl.extension("2.5.29.37", crl.seq(crl.oid("1.3.6.1.5.5.7.3.9")))] if how.pop("eku", True) else []
    return CA(f"{a.name}-responder", issuer=how.pop("issuer", a.ca), ca=False, usage=None, more=more, **how)


def says_revoked(a, signer=None, **bend):
    return lambda q: ocsp.response(a.ca, q, "revoked", signer=signer, **bend)


NO_ANSWERS = {
    "98-unauthorized": lambda a: lambda q: ocsp.error(6),
    "98-try-later": lambda a: lambda q: ocsp.error(3),
    "98-garbage": lambda a: lambda q: b"\x30\x82\xff\xff" + bytes(50),
    "98-html": lambda a: lambda q: b"<html>Please log in</html>",
    "99-wrong-nonce": lambda a: says_revoked(a, nonce=bytes(16)),
    "100-without-eku": lambda a: says_revoked(a, signer=delegate(a, eku=False)),
    "100-expired": lambda a: says_revoked(a, signer=delegate(a, days=(-30, -1))),
    "100-of-another-ca": lambda a: says_revoked(a, signer=delegate(a, issuer=OTHER)),
    "100-another-key": lambda a: says_revoked(a, key=Key()),
    "101-another-serial": lambda a: says_revoked(a, serial=4711),
    "102-too-long": lambda a: says_revoked(a, pad=70000),
    "102-too-many": lambda a: says_revoked(a, times=500),
    "102-far-too-many": lambda a: says_revoked(a, times=10000),
}
REFUSED = {name: declare(f"c{name}") for name in NO_ANSWERS}


@pytest.mark.parametrize("name", NO_ANSWERS)
def test_98_to_102_no_answer(w, name):
    """Nobody is revoked by it; and a sound answer of the same responder does revoke."""
    a = REFUSED[name]
    w.publish(a, a.ca.crl())
    w.responder.say(a, NO_ANSWERS[name](a))
    answered(w, a)
    w.expect(a, free=[0, 1])
    wait_for("it to be counted", lambda: w.authority_row(a)["ocsp_failed"] > 0)
    if not name.startswith("98"):
        w.responder.say(a, says_revoked(a, signer=delegate(a)))
        w.wait_cut(*a.devices, timeout=20)


A99_OLD, A99_FIRST = declare("c99-old"), declare("c99-first")
OLD = {"nonce": None, "this": crl.now() - crl.DAY, "next": 48}


def test_99_without_a_nonce(w):
    """Young enough it is an answer; an old one may be a replay, which is enough to revoke and for nothing else."""
    w.publish(A99_OLD, A99_OLD.ca.crl())
    w.responder.say(A99_OLD, lambda q: ocsp.response(A99_OLD.ca, q, "good", nonce=None))
    answered(w, A99_OLD)
    assert w.authority_row(A99_OLD)["ocsp_failed"] == 0
    w.responder.say(A99_OLD, lambda q: ocsp.response(A99_OLD.ca, q, "good", **OLD))
    wait_for("it to be counted", lambda: w.authority_row(A99_OLD)["ocsp_failed"] > 0)
    w.responder.say(A99_OLD, says_revoked(A99_OLD, **OLD))
    answered(w, A99_OLD)
    w.expect(A99_OLD, free=[0, 1])      # what was said later counts
    w.publish(A99_FIRST, A99_FIRST.ca.crl())
    w.responder.say(A99_FIRST, says_revoked(A99_FIRST, **OLD))
    w.wait_cut(*A99_FIRST.devices, timeout=20)


A99 = declare("c99-replay")


def test_99_an_older_good_after_revoked(w):
    w.publish(A99, A99.ca.crl())
    w.responder.say(A99, says_revoked(A99))
    w.wait_cut(*A99.devices, timeout=20)
    w.responder.say(A99, lambda q: ocsp.response(A99.ca, q, "good", nonce=None, this=crl.now() - crl.HOUR / 2))
    answered(w, A99, 4)
    w.expect(A99, cut=[0, 1])


A100 = declare("c100-revoked")
SIGNER100 = delegate(A100)


def test_100_revoked_signer(w):
    w.publish(A100, A100.ca.crl(entry(SIGNER100.serial)))
    w.responder.say(A100, says_revoked(A100, signer=SIGNER100))
    answered(w, A100, 4)
    w.expect(A100, free=[0, 1])
