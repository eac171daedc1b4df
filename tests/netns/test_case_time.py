# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 56 to 73 of doc/revocation.md: clocks, replays, and what is on the disk. The clock is cordon's own."""
import contextlib
import glob
import os
import subprocess
import time

import pytest

from cases import Cases, make_case_world
from lab import crl
from lab.crl import DAY, HOUR, entry
from lab.topology import wait_for

pytestmark = pytest.mark.once

CASES = Cases()
YEAR = 365 * 86400


@pytest.fixture(scope="module")
def w(make_world):
    return make_case_world(make_world, CASES, own_clock=True)


@pytest.fixture(autouse=True)
def clock_back(w):
    yield
    w.clock.set(0)


def declare(name, n=2, **how):
    return CASES.authority(name, devices=n, known=how.pop("known", True), **how)


def restart(w):
    w.cordon.stop()
    w.cordon.start()


def cache(w):
    """The files of cordon-pki."""
    return [p for p in glob.glob(os.path.join(w.cordon.state, "crl", "**"), recursive=True) if os.path.isfile(p)]


A56 = declare("c56")
OLD = {"this": crl.now() - 3 * DAY, "next": -30}


def test_56_expired_and_listed(w):
    w.publish(A56, A56.ca.crl(entry(A56.serial(0)), **OLD))
    w.expect(A56, cut=[0], free=[1])


A57, A57_CUT = declare("c57"), declare("c57-cut", options='when_stale = "quarantine";')


def test_57_expired_and_unlisted(w):
    """The authority's word decides; a new CRL ends it, and nothing else does."""
    for a in (A57, A57_CUT):
        assert w.publish(a, a.ca.crl(**OLD))["state"] == "expired"
    w.expect(A57, free=[0, 1])
    w.wait_cut(*A57_CUT.devices)
    w.refresh(A57_CUT)
    w.expect(A57_CUT, cut=[0, 1])
    w.publish(A57_CUT, A57_CUT.ca.crl(entry(A57_CUT.serial(1)), number=2))
    w.wait_free(A57_CUT.devices[0])
    w.expect(A57_CUT, cut=[1], free=[0])


A58 = declare("c58")


def test_58_from_the_future(w):
    a = A58
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.HOLD)))
    w.expect(a, cut=[0], free=[1])
    source = w.publish(a, a.ca.crl(entry(a.serial(1)), number=2, this=crl.now() + DAY, next=72))
    assert source["error"] == "E_FUTURE"
    w.expect(a, cut=[0, 1])             # revoked by it, and nobody released
    source = w.publish(a, a.ca.crl(entry(a.serial(1)), number=3, this=crl.now() + HOUR / 30))
    assert source["error"] is None      # two minutes are a clock's difference
    w.expect(a, cut=[1], free=[0])


A59 = declare("c59", options='when_stale = "quarantine";')


def test_59_boot_in_the_past(w):
    """A router without a battery starts in 2000: who was cut off is, before anything else happens."""
    w.publish(A59, A59.ca.crl(entry(A59.serial(0))))
    w.expect(A59, cut=[0], free=[1])
    w.cordon.stop()
    w.clock.set(-26 * YEAR, synchronized=False)
    w.put("c59.crl", None)      # nobody answers
    w.cordon.start()
    w.expect(A59, cut=[0], free=[1])
    source = w.sources(A59)[0]
    assert int(source["number"], 16) == 1 and source["state"] in ("fresh", "due")
    w.put("c59.crl", A59.ca.crl(entry(A59.serial(0)), number=2))
    w.clock.set(0)
    w.refresh(A59)
    w.expect(A59, cut=[0], free=[1])


A60 = declare("c60", options='when_stale = "quarantine";')


def test_60_jump_into_the_future(w):
    w.publish(A60, A60.ca.crl(entry(A60.serial(0))))
    w.expect(A60, cut=[0], free=[1])
    w.clock.set(10 * YEAR, synchronized=False)
    w.refresh(A60)
    assert w.sources(A60)[0]["state"] in ("fresh", "due")
    w.expect(A60, cut=[0], free=[1])
    w.clock.set(5 * 86400, synchronized=True)       # whoever is sure of it is believed
    w.refresh(A60)
    w.wait_cut(A60.devices[1])


A61, A61_LONG = declare("c61", options='max_age = "1h";'), declare("c61-long", options='max_age = "3h";')


def test_61_no_next_update(w):
    for a, state in ((A61, "stale"), (A61_LONG, "fresh")):
        source = w.publish(a, a.ca.crl(entry(a.serial(0)), next=None, this=crl.now() - 2 * HOUR))
        assert source["state"] == state
        w.expect(a, cut=[0], free=[1])


A62 = declare("c62", 3)


def test_62_an_older_number(w):
    w.publish(A62, A62.ca.crl(entry(A62.serial(0)), number=5))
    source = w.publish(A62, A62.ca.crl(entry(A62.serial(1)), number=4))
    assert source["error"] == "E_ROLLBACK" and int(source["number"], 16) == 5
    w.expect(A62, cut=[0], free=[1, 2])
    restart(w)
    assert w.refresh(A62)[0]["error"] == "E_ROLLBACK"
    w.expect(A62, cut=[0], free=[1, 2])


A63 = declare("c63")


def test_63_the_same_again(w):
    same = A63.ca.crl(entry(A63.serial(0)))
    w.publish(A63, same)
    w.expect(A63, cut=[0], free=[1])
    before = {path: os.stat(path).st_mtime_ns for path in cache(w)}
    assert before
    for _ in range(3):
        os.utime(os.path.join(w.drop, "c63.crl"))
        assert w.publish(A63, same)["error"] is None
    after = {path: os.stat(path).st_mtime_ns for path in cache(w)}
    changed = [p for p in after if after[p] != before.get(p) and p.endswith((".crl", ".der", ".meta", ".high"))]
    assert not changed


A64 = declare("c64", 3)


def test_64_two_with_one_number(w):
    w.publish(A64, A64.ca.crl(entry(A64.serial(0)), number=5))
    assert w.publish(A64, A64.ca.crl(entry(A64.serial(1)), number=5))["error"] == "E_EQUIVOCATION"
    w.expect(A64, cut=[0], free=[1, 2])


A65 = declare("c65", 3)


def test_65_a_higher_number_of_an_earlier_time(w):
    w.publish(A65, A65.ca.crl(entry(A65.serial(0)), number=5))
    source = w.publish(A65, A65.ca.crl(entry(A65.serial(1)), number=6, this=crl.now() - 2 * HOUR))
    assert source["error"] == "E_ROLLBACK"
    w.expect(A65, cut=[0], free=[1, 2])


A66 = declare("c66", 3)


def test_66_without_numbers(w):
    a = A66
    w.publish(a, a.ca.crl(entry(a.serial(0), crl.KEY_COMPROMISE), number=None, this=crl.now() - 2 * HOUR))
    w.expect(a, cut=[0], free=[1, 2])
    w.publish(a, a.ca.crl(entry(a.serial(1)), number=None, this=crl.now() - HOUR))
    w.expect(a, cut=[0, 1], free=[2])
    assert w.publish(a, a.ca.crl(entry(a.serial(2)), number=None, this=crl.now() - 2 * HOUR))["error"] == "E_ROLLBACK"
    w.expect(a, cut=[0, 1], free=[2])


A67 = declare("c67", 4)


def test_67_large_numbers(w):
    numbers = (0, 1795000000000000000, (1 << 159) - 1)
    for i, number in enumerate(numbers):
        assert w.publish(A67, A67.ca.crl(*(entry(A67.serial(j)) for j in range(i + 1)), number=number))["error"] is None
        w.expect(A67, cut=range(i + 1), free=range(i + 1, 4))
    assert w.publish(A67, A67.ca.crl(entry(A67.serial(3)), number=(1 << 152) - 1))["error"] == "E_ROLLBACK"
    w.expect(A67, cut=[0, 1, 2], free=[3])


A68 = declare("c68", 3)


def test_68_the_ca_was_rebuilt(w):
    w.publish(A68, A68.ca.crl(entry(A68.serial(0)), number=1000))
    again = A68.ca.crl(entry(A68.serial(1)), number=1)
    assert w.publish(A68, again)["error"] == "E_ROLLBACK"
    w.expect(A68, cut=[0], free=[1, 2])
    assert w.cordon.try_ctl("crl", "reset", A68.name).returncode != 0      # not without a word
    w.expect(A68, cut=[0], free=[1, 2])
    w.cordon.ctl("crl", "reset", A68.name, "--confirm")
    wait_for("the reset", lambda: w.refresh(A68)[0]["error"] in (None, "E_UNREVOKED"))
    w.expect(A68, cut=[0, 1], free=[2])


A70 = declare("c70")


def test_70_damaged_cache(w):
    w.publish(A70, A70.ca.crl(entry(A70.serial(0), crl.KEY_COMPROMISE)))
    w.expect(A70, cut=[0], free=[1])
    w.cordon.stop()
    damaged = 0
    for path in cache(w):
        if path.endswith((".crl", ".der")):
            with open(path, "r+b") as f:
                f.seek(os.path.getsize(path) // 2)
                f.write(b"\xff\xff\xff\xff")
                damaged += 1
    assert damaged
    w.cordon.start()
    w.expect(A70, cut=[0], free=[1])
    wait_for("it to be fetched anew", lambda: w.sources(A70)[0]["error"] is None and
             w.sources(A70)[0]["state"] == "fresh", 20)
    w.expect(A70, cut=[0], free=[1])


A71 = declare("c71")


def test_71_damaged_mark(w):
    w.publish(A71, A71.ca.crl(entry(A71.serial(0), crl.HOLD), number=3))
    w.expect(A71, cut=[0], free=[1])
    w.cordon.stop()
    damaged = 0
    for path in cache(w):
        if "high" in os.path.basename(path) or os.path.basename(path).startswith("hw"):
            with open(path, "r+b") as f:
                f.seek(os.path.getsize(path) // 2)
                f.write(b"\xff\xff\xff\xff")
                damaged += 1
    assert damaged
    w.cordon.start()
    for number in (4, 5):
        w.publish(A71, A71.ca.crl(number=number))
        w.expect(A71, cut=[0], free=[1])           # nobody is cleared by it
    assert w.sources(A71)[0]["error"] == "E_MARK"
    w.cordon.ctl("crl", "reset", A71.name, "--confirm")
    w.publish(A71, A71.ca.crl(number=6))
    w.wait_free(A71.devices[0])


A72 = declare("c72")


def test_72_disk_full(w):
    """Who is revoked is cut all the same; what could not be written is written when it can be."""
    folder = os.path.join(w.cordon.state, "crl")
    w.cordon.stop()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "cordon-test", folder], check=True)
    try:
        ballast = os.path.join(folder, "ballast")
        fd = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(fd, bytes(4096))
        os.close(fd)
        w.cordon.start()
        assert w.publish(A72, A72.ca.crl(entry(A72.serial(0)), *(entry(1 << 50 | n) for n in range(300))))["error"] == "E_DISK"
        w.expect(A72, cut=[0], free=[1])
        os.unlink(ballast)
        wait_for("it to be written", lambda: w.refresh(A72)[0]["error"] is None, 20, 0.5)
        w.expect(A72, cut=[0], free=[1])
    finally:
        w.cordon.stop()
        subprocess.run(["umount", folder], check=True)
        w.cordon.start()
    w.expect(A72, cut=[0], free=[1])


A73 = declare("c73", 3)


def test_73_a_file_that_is_edited_in_place(w):
    whole = A73.ca.crl(entry(A73.serial(0)), *(entry(1 << 40 | n) for n in range(50)))
    path = os.path.join(w.drop, "c73.crl")
    with open(path, "wb") as f:
        f.write(whole[:len(whole) // 2])
    os.chmod(path, 0o644)
    wait_for("it to be seen", lambda: w.sources(A73)[0]["error"] == "E_TRUNC")
    w.expect(A73, free=[0, 1, 2])
    begin = time.monotonic()
    w.put("c73.crl", whole)
    w.wait_cut(A73.devices[0])
    assert time.monotonic() - begin < 2.5       # two seconds, and the packets of the look
    w.expect(A73, cut=[0], free=[1, 2])
