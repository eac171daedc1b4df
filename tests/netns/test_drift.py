# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody else changes the kernel's rules: refused where the kernel knows owners, otherwise seen at once,
put right in one transaction, recorded, and no allowed flow loses a packet by the repair."""
import contextlib
import json
import os
import signal
import time

import pytest

from lab.topology import wait_for


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 3), ("camera", 1), ("gateway", 1)])


def owned(world):
    return "own" in world.cordon.status()["table"]


def nft(world, text):
    return world.lab.router.run(["nft", text], check=False)


def chain_of(world, prefix):
    return next(i["chain"]["name"] for i in world.cordon.table() if i.get("chain", {}).get("name", "").startswith(prefix))


def set_of(world, prefix):
    return next(i[kind]["name"] for i in world.cordon.table() for kind in ("set", "map")
                if i.get(kind, {}).get("name", "").startswith(prefix) and i[kind].get("elem"))


def changes(world):
    """What another program may do to the table: by nft's words, with whether elements alone differ then."""
    live = next(iter(world.cordon.elements("live")))
    server = world.lab.server.address(4)
    return {
        "an element added": ("add element inet cordon live { 0x12345678 }", True),
        "an element removed": (f"delete element inet cordon live {{ {live} }}", True),
        "a destination added": (f"add element inet cordon {set_of(world, 'allow4_')} {{ {server} . udp . 123 }}", True),
        "a set flushed": (f"flush set inet cordon {set_of(world, 'allow4_')}", True),
        "a map flushed": ("flush map inet cordon current", True),
        "everybody let in": ("add element inet cordon live { * }", False),
        "a rule added": ("insert rule inet cordon forward accept", False),
        "a rule added to a class": (f"insert rule inet cordon {chain_of(world, 'class_1')} accept", False),
        "a chain flushed": ("flush chain inet cordon forward", False),
        "a chain's policy": ("add chain inet cordon forward { policy accept ; }", False),
        "a chain added": ("add chain inet cordon extra { type filter hook forward priority -300 ; }", False),
        "a set added": ("add set inet cordon extra { type ipv4_addr ; }", False),
        "the table asleep": ("add table inet cordon { flags dormant ; }", False),
        "the table flushed": ("flush table inet cordon", False),
        "the table deleted": ("delete table inet cordon", False),
        "everything flushed, as Debian's nftables.service does when it stops": ("flush ruleset", False),
    }


@pytest.mark.vm
def test_every_change_is_refused_or_put_right(world, family):
    """One after another; nothing is open afterwards that was closed, and nothing closed that was open."""
    device = world.lab.devices[0]
    for what, (text, _) in changes(world).items():
        before = world.cordon.status()["foreign_changes"]
        done = nft(world, text)
        if owned(world):
            # flush ruleset passes over what others own
            assert done.returncode != 0 or text == "flush ruleset", what
            assert world.cordon.status()["foreign_changes"] == before, what
        else:
            assert done.returncode == 0, (what, done.stderr)
            wait_for(f"{what} to be put right", lambda b=before: world.cordon.status()["foreign_changes"] > b, 5, 0.02)
        assert world.cordon.try_ctl("policy", "verify").returncode == 0, what
        assert world.refused(device, world.lab.other, family, 5000), what
        assert world.delivered(device, world.lab.server, family, 5000, n=1) == 1, what


def test_repair_of_elements_costs_no_packet(world, family):
    """The table is not made anew for a few elements: flows go on while they are put right."""
    if owned(world):
        pytest.skip("the table is owned: others cannot change it")
    flows = [world.flow(d, world.lab.server, family, 5000, f"drift.{d.name}.{family}") for d in world.lab.devices]
    with world.steady(*flows, period=0.002) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in flows))
        for what, (text, elements) in changes(world).items():
            if not elements or "flush" in text or "delete" in text:     # what is missing may cost, until it is back
                continue
            before = world.cordon.status()["foreign_changes"]
            assert nft(world, text).returncode == 0, what
            wait_for(f"{what} to be put right", lambda b=before: world.cordon.status()["foreign_changes"] > b, 5, 0.02)
        time.sleep(0.2)
        steady.stop()
        assert {f.tag: f.lost for f in flows if f.lost} == {}


def test_put_right_within_a_blink(world):
    """From the change to the repair: the time to settle and the work."""
    if owned(world):
        pytest.skip("the table is owned: others cannot change it")
    began = time.monotonic()
    assert nft(world, "flush ruleset").returncode == 0
    wait_for("the table to be back", lambda: world.cordon.table() is not None, 5, 0.005)
    assert time.monotonic() - began < 1.0


def test_foreign_tables_are_their_owners_affair(world):
    """Other programs have tables of their own: no reason for anything."""
    before = world.cordon.status()["foreign_changes"]
    assert nft(world, "add table inet elsewhere").returncode == 0
    assert nft(world, "add set inet elsewhere s { type ipv4_addr ; elements = { 192.0.2.1 } ; }").returncode == 0
    assert nft(world, "delete table inet elsewhere").returncode == 0
    time.sleep(0.2)
    assert world.cordon.status()["foreign_changes"] == before
    assert world.cordon.try_ctl("policy", "verify").returncode == 0


@contextlib.contextmanager
def standing_still(world):
    pid = world.cordon.pids()["cordond"]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_seen_though_a_change_of_ours_comes_first(world):
    """A foreign change and at once one of ours: it is not overlooked because nobody listened just then."""
    if owned(world):
        pytest.skip("the table is owned: others cannot change it")
    device = world.lab.devices[1]
    before = world.cordon.status()["foreign_changes"]
    with standing_still(world):
        assert nft(world, "add element inet cordon live { 0x22345678 }").returncode == 0
        asked = world.lab.router.popen(world.cordon.command("device", "quarantine", device.name, "--reason", "test"))
        time.sleep(0.2)
    assert asked.wait(10) == 0
    wait_for("it to be put right", lambda: world.cordon.status()["foreign_changes"] > before, 5, 0.02)
    assert str(0x22345678) not in str(world.cordon.elements("live"))
    assert world.station(device) == "quarantined"
    world.release(device)


# ---- policy verify -----------------------------------------------------------------------------

def test_verify_agrees(world):
    done = world.cordon.try_ctl("policy", "verify")
    assert done.returncode == 0 and "agree" in done.stdout
    got = world.cordon.ask("policy", "verify")
    assert got["agrees"] and got["differences"] == [] and got["compared"] > 50
    assert got["missing"] == got["foreign"] == 0


def test_verify_tells_what_differs(world):
    """Element by element; the watch would have put it right, so it is asked before that has a chance."""
    if owned(world):
        pytest.skip("the table is owned: others cannot change it")
    live = next(iter(world.cordon.elements("live")))
    with standing_still(world):
        assert nft(world, f"delete element inet cordon live {{ {live} }}").returncode == 0
        assert nft(world, "add element inet cordon live { 0x32345678 }").returncode == 0
        number = live & 0xffffff00
        assert nft(world, f"delete element inet cordon current {{ {number} }}").returncode == 0
        assert nft(world, f"add element inet cordon current {{ {number} : 0x77 }}").returncode == 0
        asked = world.lab.router.popen(world.cordon.command("policy", "verify", "--json"), stdout=-1, text=True)
        time.sleep(0.2)
    out, _ = asked.communicate(timeout=10)
    assert asked.returncode == 2
    got = json.loads(out)
    assert not got["agrees"] and (got["missing"], got["foreign"]) == (2, 2)
    told = {(d["set"], d["what"], d["element"]) for d in got["differences"]}
    assert told == {("live", "missing", f"{live:#x}"), ("live", "foreign", "0x32345678"),
                    ("current", "differs", f"{number:#x} : 0x77")}
    wait_for("it to be put right", lambda: world.cordon.try_ctl("policy", "verify").returncode == 0, 5, 0.05)


def test_verify_without_cordond(world):
    world.cordon.stop()
    try:
        assert world.cordon.try_ctl("policy", "verify").returncode == 3
    finally:
        world.cordon.start()


# ---- on record -------------------------------------------------------------------------------------

def test_recorded(world):
    """What was put right is in the log and in the history of the policy."""
    if owned(world):
        pytest.skip("the table is owned: others cannot change it")
    assert nft(world, "flush chain inet cordon forward").returncode == 0
    wait_for("the log to say so", lambda: "another program changed the rules" in world.cordon.log_tail(20), 5, 0.05)

    def noted():
        history = world.cordon.ask("policy", "history")
        rows = history if isinstance(history, list) else history.get("history", history.get("entries", []))
        return rows and "restored" in json.dumps(rows[0])
    wait_for("the history to say so", noted, 15, 0.2)


# ---- policy diff -------------------------------------------------------------------------------

def diff(world, *words):
    done = world.cordon.try_ctl("policy", "diff", *words, "--json")
    return done.returncode, json.loads(done.stdout) if done.stdout else {}


def test_diff_says_what_apply_does(world):
    """Nothing, then a rule more; the numbers of elements are those of the apply that follows."""
    code, got = diff(world)
    assert (code, got["differs"], got["changes"], got["added"]) == (0, False, [], 0)
    with world.changed() as site:
        site.classes["sensor"] += ['{ to = "192.0.2.3"; udp = 5123; }']
        site.write()
        code, got = diff(world)
        assert code == 2 and got["renewed"] == 0 and got["removed"] == 0
        assert [(c["area"], c["name"], c["sign"], c["text"]) for c in got["changes"]] == [
            ("class", "sensor", "+", "allows 192.0.2.3: udp 5123")]
        assert got["changes"][0]["where"]["line"] > 0
        applied = world.cordon.apply()
        assert (applied["added"], applied["removed"], applied["renewed"]) == (
            got["added"], got["removed"], got["renewed"])
        assert diff(world)[0] == 0


def test_diff_of_another_folder(world):
    """A candidate anywhere; mistakes are told as by check; without cordond it is against nothing."""
    assert world.cordon.try_ctl("policy", "diff", world.cordon.etc).returncode == 0
    assert world.cordon.try_ctl("policy", "diff", "/nonexistent").returncode == 1
    world.cordon.stop()
    try:
        code, got = diff(world)
        assert code == 2 and got["removed"] == 0
        assert got["devices"]["added"] == len(world.lab.devices)
    finally:
        world.cordon.start()
