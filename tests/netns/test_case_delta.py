# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 45 to 55 of doc/revocation.md: delta CRLs and the full ones that they build on."""
import pytest

from cases import Cases, Key, make_case_world
from lab import crl
from lab.crl import delta_of, entry, freshest, scope
from lab.topology import wait_for

pytestmark = pytest.mark.once

CASES = Cases()
BOTH = '{ url = "file://{folder}/{name}.crl"; delta = "file://{folder}/{name}.delta"; }'


@pytest.fixture(scope="module")
def w(make_world):
    return make_case_world(make_world, CASES)


def declare(name, n=2, **how):
    return CASES.authority(name, devices=n, crl=how.pop("crl", BOTH), known=True, **how)


def delta(a, base, *entries, number, more=(), **bend):
    return a.ca.crl(*entries, number=number, more=[delta_of(base), *more], **bend)


def publish(w, a, full=None, changes=None):
    """Both, in that order. What became of (the full one's source, the delta's)."""
    if full is not None:
        w.publish(a, full)
    if changes is not None:
        w.put(f"{a.name}.delta", changes)
    return w.refresh(a)


A45, A45_FRESHEST = declare("c45"), declare("c45-freshest")


@pytest.mark.parametrize("a, more", [(A45, []), (A45_FRESHEST, [freshest("http://crl.example/delta")])],
                         ids=["without", "with"])
def test_45_revoked_by_a_delta(w, a, more):
    publish(w, a, a.ca.crl(number=1, more=more))
    w.expect(a, free=[0, 1])
    full, changes = publish(w, a, changes=delta(a, 1, entry(a.serial(0), crl.KEY_COMPROMISE), number=2))
    assert full["error"] is None and changes["error"] is None
    w.expect(a, cut=[0], free=[1])


A46 = declare("c46")


def test_46_hold_removed_by_a_delta(w):
    publish(w, A46, A46.ca.crl(entry(A46.serial(0), crl.HOLD), number=1))
    w.expect(A46, cut=[0], free=[1])
    full, changes = publish(w, A46, changes=delta(A46, 1, entry(A46.serial(0), crl.REMOVE),
                                                  entry(A46.serial(1), crl.REMOVE), number=2))
    w.expect(A46, free=[0, 1])
    assert full["error"] is None and changes["error"] is None       # the second was never held: no alarm


A47 = declare("c47")


def test_47_key_compromise_is_not_removed(w):
    publish(w, A47, A47.ca.crl(entry(A47.serial(0), crl.KEY_COMPROMISE), number=1))
    publish(w, A47, changes=delta(A47, 1, entry(A47.serial(0), crl.REMOVE), number=2))
    w.expect(A47, cut=[0], free=[1])
    assert "removed" in w.authority_row(A47)["alarms"]


A48 = declare("c48")


def test_48_removed_in_a_full_crl(w):
    publish(w, A48, A48.ca.crl(entry(A48.serial(0), crl.HOLD), number=1))
    full = publish(w, A48, A48.ca.crl(entry(A48.serial(0), crl.REMOVE), entry(A48.serial(0), crl.HOLD), number=2))[0]
    assert full["warnings"]
    w.expect(A48, cut=[0], free=[1])


A49 = declare("c49")


def test_49_base_in_between(w):
    publish(w, A49, A49.ca.crl(number=11))
    rows = publish(w, A49, changes=delta(A49, 10, entry(A49.serial(0)), number=12))
    assert [row["error"] for row in rows] == [None, None]
    w.expect(A49, cut=[0], free=[1])


A50 = declare("c50", crl='{ url = "http://{web}/c50.crl"; delta = "file://{folder}/{name}.delta"; }')


def test_50_delta_of_a_base_that_is_not_here(w):
    def asked():
        return sum(path.endswith("c50.crl") for path, _, _ in w.web.sent)
    w.web.publish("c50.crl", A50.ca.crl(entry(A50.serial(1), crl.HOLD), number=5))
    w.refresh(A50)
    w.expect(A50, cut=[1], free=[0])
    before = asked()
    w.put("c50.delta", delta(A50, 8, entry(A50.serial(0)), number=9))      # nobody asks: the folder is watched
    w.wait_cut(A50.devices[0])
    wait_for("the base to be asked for", lambda: asked() > before)
    w.expect(A50, cut=[0, 1])
    assert w.sources(A50)[1]["error"] == "E_BASE"
    w.web.publish("c50.crl", A50.ca.crl(entry(A50.serial(0)), number=9))
    w.refresh(A50)
    w.expect(A50, cut=[0], free=[1])


A51 = declare("c51")


def test_51_delta_that_is_older(w):
    publish(w, A51, A51.ca.crl(number=7), delta(A51, 5, entry(99), number=6))
    rows = w.sources(A51)
    assert [row["error"] for row in rows] == [None, None]
    w.expect(A51, free=[0, 1])


A52 = declare("c52")


def test_52_delta_alone(w):
    w.put("c52.delta", delta(A52, 1, entry(A52.serial(0)), number=2))
    w.refresh(A52)
    w.expect(A52, cut=[0], free=[1])
    w.wait_check(A52.devices[1], "unchecked", "stale")


A53 = {kind: declare(f"c53-{kind}") for kind in ("scope", "key", "number")}


@pytest.mark.parametrize("kind, bend", [("scope", {"more": [scope(users=True)]}), ("key", {"key": Key()}),
                                        ("number", {"number": None})], ids=["scope", "key", "number"])
def test_53_delta_of_something_else(w, kind, bend):
    a = A53[kind]
    publish(w, a, a.ca.crl(entry(a.serial(0), crl.HOLD), number=1))
    bend = {"number": 2, **bend}
    rows = publish(w, a, changes=delta(a, 1, entry(a.serial(0), crl.REMOVE), **bend))
    assert rows[1]["error"] in (("E_DELTA",) if kind != "key" else ("E_SIG", "E_SIGNER"))
    w.expect(a, cut=[0], free=[1])


A54 = declare("c54")


def test_54_expired_base_and_current_delta(w):
    publish(w, A54, A54.ca.crl(entry(A54.serial(0), crl.HOLD), number=1, this=crl.now() - 3 * crl.DAY, next=-30))
    w.expect(A54, cut=[0], free=[1])
    w.wait_check(A54.devices[1], "unchecked", "stale")
    publish(w, A54, changes=delta(A54, 1, entry(A54.serial(0), crl.REMOVE), number=2))
    w.expect(A54, free=[0, 1])
    w.wait_check(A54.devices[1], "clean")


A55 = declare("c55")


def test_55_expired_delta_and_current_base(w):
    publish(w, A55, A55.ca.crl(number=1), delta(A55, 1, entry(A55.serial(0)), number=2, next=-1,
                                                this=crl.now() - crl.DAY))
    full, changes = w.sources(A55)
    assert full["state"] in ("fresh", "due") and changes["state"] in ("stale", "expired")
    w.expect(A55, cut=[0], free=[1])
    w.wait_check(A55.devices[1], "clean")
