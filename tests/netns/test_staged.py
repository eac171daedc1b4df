# SPDX-License-Identifier: GPL-2.0-or-later
"""A policy that stands staged: asked about every flow, counted exactly, obeyed in nothing."""
import contextlib
import os
import signal
import time

import pytest

from lab import packets
from lab.cordon import Failed
from lab.topology import wait_for
from lab.traffic import ping, tcp_open, tcp_works, udp_answers

pytestmark = pytest.mark.once

KEYS = 4096     # that each kernel set has room for

# Beside what CLASSES of lab.site say: 8883 goes, 554 comes; 5000 stays.
CANDIDATE = ['{ to = ("192.0.2.2", "fd20::2"); tcp = 554; udp = 5000; }',
             '{ to = ("192.0.2.6", "fd20::6"); tcp = 8883; }',
             '{ to = "192.0.2.2"; icmp = "echo-request"; }',
             '{ to = "class:gateway"; udp = 1883; }']


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


@pytest.fixture
def gateway(world):
    return world.lab.of_kind("gateway")[0]


@contextlib.contextmanager
def staged(world, **classes):
    """The running configuration with other rules for these classes, staged; what runs stays."""
    stage(world, **classes)
    try:
        yield
    finally:
        world.cordon.try_ctl("policy", "unstage")


def stage(world, **classes):
    keep = dict(world.site.classes)
    try:
        world.site.classes.update(classes)
        world.site.write()
        return world.cordon.ask("policy", "stage")
    finally:
        world.site.classes = keep
        world.site.write()


def counts(world):
    return world.cordon.ask("policy", "staged", "--limit", "10000")


def attempts(world, newly, **wanted):
    """(destination, protocol, port) -> count."""
    return {(a["to"], a["protocol"], a["port"]): a["count"] for a in counts(world)["attempts"]
            if a["newly"] == newly and all(a[k] == v for k, v in wanted.items())}


def totals(world):
    got = counts(world)
    return got["newly_refused"], got["newly_allowed"]


# ---- what is counted ----------------------------------------------------------------

def test_newly_refused_passes_and_is_counted(world, sensor, family):
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        for _ in range(3):
            assert tcp_works(sensor, server.address(family), 8883)
        got = attempts(world, "refused", device=sensor.name)
        assert got == {(server.address(family), "tcp", 8883): 3}
        assert totals(world) == (3, 0)


def test_newly_allowed_is_counted_and_does_not_pass(world, sensor, family):
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        assert tcp_open(sensor, server.address(family), 554, timeout=0.4) is None
        got = attempts(world, "allowed", device=sensor.name)
        assert list(got) == [(server.address(family), "tcp", 554)]
        assert totals(world) == (0, got[(server.address(family), "tcp", 554)])


def test_the_same_is_not_counted(world, sensor, family):
    """Allowed by both, refused by both."""
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        assert world.delivered(sensor, server, family, 5000) == 4
        assert tcp_open(sensor, server.address(family), 22, timeout=0.3) is None
        assert world.refused(sensor, world.lab.other, family, 123)
        assert totals(world) == (0, 0)


def test_a_flow_is_counted_once(world, sensor, family):
    """However many packets it has, and though nobody answers them."""
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        with world.arrivals(server, b"unanswered") as got:
            world.send_frames(sensor, *world.forged(sensor, server.address(family), port=5006, n=20,
                                                    tag=b"unanswered"))
            assert got(20) >= 20
        assert attempts(world, "refused") == {(server.address(family), "udp", 5006): 1}


def test_pings(world, sensor):
    """A protocol without ports: the staged policy has no rule for ICMPv6."""
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        assert ping(sensor, server.address(4)) == 3
        assert ping(sensor, server.address(6)) == 3
        got = attempts(world, "refused")
        assert got == {(server.address(6), "icmpv6", None): 1}
        assert ping(sensor, world.lab.other.address(4)) == 0
        assert totals(world)[1] == 0


def test_device_to_device(world, sensor, gateway, family):
    with staged(world, sensor=CANDIDATE, gateway=['{ to = "class:sensor"; udp = 1883; }']):
        assert udp_answers(sensor, gateway.address(family), 1883) == 4
        assert totals(world) == (0, 0)
        assert tcp_works(sensor, gateway.address(family), 1883)
        assert attempts(world, "refused") == {(gateway.address(family), "tcp", 1883): 1}
        assert udp_answers(gateway, sensor.address(family), 1883, n=3, patience=0.1) == 0
        assert attempts(world, "allowed", device=gateway.name) == {(sensor.address(family), "udp", 1883): 3}


def test_from_outside(world, sensor, family):
    """By the staged class's inbound rules."""
    keep = dict(world.site.words)
    mgmt = world.lab.mgmt
    try:
        world.site.words["sensor"] = ('inbound = ( { from = ("%s", "%s"); tcp = 22; } );'
                                      % (mgmt.address(4), mgmt.address(6)))
        with staged(world):
            world.site.words = dict(keep)
            world.site.write()
            assert tcp_open(mgmt, sensor.address(family), 22, timeout=0.3) is None
            assert tcp_open(mgmt, sensor.address(family), 23, timeout=0.3) is None
            got = attempts(world, "allowed", device=sensor.name)
            assert list(got) == [(sensor.address(family), "tcp", 22)]
    finally:
        world.site.words = keep
        world.site.write()


def test_quarantined_are_not_asked_about(world, sensor, family):
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        world.quarantine(sensor)
        try:
            assert tcp_open(sensor, server.address(family), 554, timeout=0.3) is None
            assert totals(world) == (0, 0)
        finally:
            world.release(sensor)


def test_audit_refuses_nothing(world, sensor, family):
    """A class to be audited would let everything pass; one that is audited now is to be enforced."""
    server = world.lab.server
    with world.changed() as site:
        site.modes["sensor"] = "audit"
        world.site.write()
        world.cordon.ctl("policy", "stage")
        site.modes["sensor"] = "enforce"
        assert tcp_open(sensor, server.address(family), 22, timeout=0.3) is None
        assert list(attempts(world, "allowed")) == [(server.address(family), "tcp", 22)]
        # and the other way round
        site.modes["sensor"] = "audit"
        world.apply()
        site.modes["sensor"] = "enforce"
        world.site.write()
        world.cordon.ctl("policy", "stage")
        assert world.delivered(sensor, world.lab.other, family, 123) == 4
        assert attempts(world, "refused") == {(world.lab.other.address(family), "udp", 123): 1}
        world.cordon.ctl("policy", "unstage")


def test_more_than_there_is_room_for(world, sensor, family):
    """What was counted without being named is told exactly."""
    server = world.lab.server
    wire = packets.Wire(sensor.ns)
    try:
        with staged(world, sensor=['{ to = ("192.0.2.2", "fd20::2"); any = true; }']):
            n = KEYS + 1000
            dst, src = server.address(family), sensor.address(family)
            for i in range(0, n, 100):
                wire.send(*[packets.udp_frame(sensor.mac, world.router_mac(sensor), src, dst, 40000,
                                              10000 + j, b"room ") for j in range(i, min(i + 100, n))])
                time.sleep(0.005)
            wait_for("all of them", lambda: counts(world)["newly_allowed"] >= n, 5, 0.1)
            got = counts(world)
            assert got["newly_allowed"] == n
            assert got["unnamed_allowed"] == n - KEYS
            assert sum(d["newly_allowed"] for d in got["devices"]) == n
            assert len(attempts(world, "allowed")) == KEYS
            assert f"{n:,}" in world.cordon.ctl("policy", "staged")
    finally:
        wire.close()


# ---- who says so --------------------------------------------------------------------

def test_what_is_shown(world, sensor):
    assert counts(world) == {"staged": False}
    assert "nothing is staged" in world.cordon.ctl("policy", "staged")
    assert world.status()["staged"] is None
    with staged(world, sensor=CANDIDATE):
        assert tcp_works(sensor, world.lab.server.address(4), 8883)
        got = counts(world)
        assert got["staged"] and got["who"]["user"] == "root"
        assert got["classes"] == [{"class": "sensor", "devices": 1, "newly_refused": 1, "newly_allowed": 0}]
        assert got["devices"][0]["device"] == sensor.name
        text = world.cordon.ctl("policy", "staged")
        assert sensor.name in text and "tcp 8883" in text
        assert "staged" in world.cordon.try_ctl("status").stdout
        assert world.status()["staged"]["who"]["user"] == "root"
    with pytest.raises(Failed):
        world.cordon.ctl("policy", "unstage")


def test_what_no_packet_can_show(world, sensor):
    keep = list(world.site.devices)
    world.site.devices = [d for d in keep if d.name != sensor.name]
    try:
        with staged(world):
            facts = counts(world)["facts"]
            assert [f["name"] for f in facts] == [sensor.name]
            assert tcp_works(sensor, world.lab.server.address(4), 8883)
            assert counts(world)["devices"][0]["staged_class"] is None
            assert counts(world)["newly_refused"] == 1
    finally:
        world.site.devices = keep
        world.site.write()


def test_mistakes_stage_nothing(world):
    keep = dict(world.site.classes)
    world.site.classes["sensor"] = ['{ to = "nonsense nonsense"; }']
    world.site.write()
    try:
        done = world.cordon.try_ctl("policy", "stage")
        assert done.returncode == 1 and "nothing was staged" in done.stderr
        assert not counts(world)["staged"]
    finally:
        world.site.classes = keep
        world.site.write()


# ---- life ---------------------------------------------------------------------------

def test_nothing_staged_leaves_nothing(world, sensor):
    """The rules are what they were before, to the last one."""
    def rules():
        done = world.lab.router.run(["nft", "-s", "list", "table", "inet", "cordon"])
        return [line for line in done.stdout.splitlines() if "expires" not in line]
    with staged(world, sensor=CANDIDATE):
        inside = world.lab.router.run(["nft", "list", "table", "inet", "cordon"]).stdout
        assert "staged_admitted" in inside
    assert not [line for line in rules() if "staged" in line]
    assert world.cordon.try_ctl("policy", "verify").returncode == 0


def test_replaced_begins_to_count_anew(world, sensor):
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        assert tcp_works(sensor, server.address(4), 8883)
        assert totals(world) == (1, 0)
        stage(world, sensor=['{ to = "192.0.2.2"; tcp = 8883; }'])
        assert totals(world) == (0, 0)
        assert tcp_works(sensor, server.address(4), 8883)
        assert tcp_works(sensor, server.address(6), 8883)
        assert attempts(world, "refused") == {(server.address(6), "tcp", 8883): 1}
        assert world.cordon.try_ctl("policy", "verify").returncode == 0


def test_open_flows_lose_nothing(world, sensor, family):
    """Staging, replacing and ending it, with traffic under way."""
    with world.steady(world.flow(sensor, world.lab.server, family)) as traffic:
        for _ in range(3):
            stage(world, sensor=CANDIDATE)
            stage(world, sensor=[])
            world.cordon.ctl("policy", "unstage")
        traffic.stop()
        assert all(flow.lost == 0 for flow in traffic.flows)


def test_a_restart_keeps_it(world, sensor):
    server = world.lab.server
    with staged(world, sensor=CANDIDATE):
        assert tcp_works(sensor, server.address(4), 8883)
        world.cordon.stop()
        assert tcp_works(sensor, server.address(6), 8883)
        world.cordon.start()
        assert attempts(world, "refused") == {(server.address(4), "tcp", 8883): 1,
                                              (server.address(6), "tcp", 8883): 1}
        assert world.status()["kernel_agrees"]
        assert world.status()["staged"]["who"]["user"] == "root"
        assert "put right" not in world.cordon.log_tail(8)


@pytest.mark.parametrize("damage", ["staged.image", "staged.note"])
def test_a_damaged_one_is_unstaged(world, sensor, damage):
    with staged(world, sensor=CANDIDATE):
        world.cordon.stop()
        path = next(os.path.join(folder, damage) for folder, _, files in os.walk(world.cordon.state)
                    if damage in files)
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 0xff]))
        world.cordon.start()
        assert not counts(world)["staged"]
        assert not os.path.exists(path)
        assert tcp_works(sensor, world.lab.server.address(4), 8883)
        assert world.cordon.try_ctl("policy", "verify").returncode == 0
        assert "damaged" in world.cordon.log_tail(30)


def test_killed_while_staging(world, sensor):
    """At whatever moment: what is enforced stands, and what is staged is all there or not at all."""
    server = world.lab.server
    for i in range(5):
        keep = dict(world.site.classes)
        world.site.classes["sensor"] = CANDIDATE if i % 2 else []
        world.site.write()
        asking = world.lab.router.popen(world.cordon.command("policy", "stage"))
        time.sleep(0.01 + 0.025 * i)
        world.cordon.kill("cordond", signal.SIGKILL)
        asking.wait(20)
        world.site.classes = keep
        world.site.write()
        world.cordon.wait_until_ready()
        assert tcp_works(sensor, server.address(4), 8883), i
        assert tcp_open(sensor, server.address(4), 22, timeout=0.2) is None, i
        assert world.cordon.try_ctl("policy", "verify").returncode == 0, i
    world.cordon.try_ctl("policy", "unstage")


# ---- together with apply ------------------------------------------------------------

def test_apply_what_is_staged(world, sensor, family):
    """Exactly that, though the files say something else by now."""
    server = world.lab.server
    stage(world, sensor=CANDIDATE)
    try:
        world.site.classes["gateway"], keep = [], world.site.classes["gateway"]
        world.site.write()
        got = world.cordon.ask("policy", "apply", "--staged")
        world.site.classes["gateway"] = keep
        assert got["applied"] and got["unstaged"] == "enforced"
        assert not counts(world)["staged"]
        assert tcp_works(sensor, server.address(family), 554)
        assert tcp_open(sensor, server.address(family), 8883, timeout=0.3) is None
        assert world.cordon.try_ctl("policy", "verify").returncode == 0
    finally:
        world.apply()
    assert tcp_works(sensor, server.address(family), 8883)
    done = world.cordon.try_ctl("policy", "apply", "--staged")
    assert done.returncode == 1 and "nothing is staged" in done.stderr


def test_another_policy_beside_it(world, sensor):
    """It is counted against what is enforced now."""
    server = world.lab.server
    with staged(world, sensor=CANDIDATE), world.changed() as site:
        assert tcp_works(sensor, server.address(4), 8883)
        assert totals(world) == (1, 0)
        site.classes["sensor"] = ['{ to = ("192.0.2.2", "fd20::2"); tcp = 554; }']
        assert world.apply()["unstaged"] is None
        assert counts(world)["staged"]
        assert tcp_works(sensor, server.address(4), 554)
        assert tcp_open(sensor, server.address(4), 8883, timeout=0.3) is None
        assert totals(world) == (1, 0)
        assert world.cordon.try_ctl("policy", "verify").returncode == 0


def test_other_numbers_end_it(world, sensor):
    """A device that both have for the first time gets a number twice: no comparison is possible."""
    devices = list(world.site.devices)
    gone = [d for d in devices if d.name != sensor.name]
    cameras = world.lab.of_kind("camera")
    try:
        world.site.devices = [d for d in gone if d not in cameras]
        world.site.write()
        world.cordon.apply()
        world.site.devices = gone                       # the cameras get the next numbers
        world.site.write()
        world.cordon.ctl("policy", "stage")
        world.site.devices = [d for d in devices if d not in cameras]   # and now the sensor does
        world.site.write()
        got = world.cordon.ask("policy", "apply")
        assert got["unstaged"] == "stale"
        assert not counts(world)["staged"]
        assert world.cordon.try_ctl("policy", "verify").returncode == 0
    finally:
        world.site.devices = devices
        world.apply()


def test_no_verdict_changes(world):
    """What it may not do: change a verdict. Sockets of every kind, with and without it."""
    lab = world.lab
    sensor, camera, gateway = lab.of_kind("sensor")[0], lab.of_kind("camera")[0], lab.of_kind("gateway")[0]

    def verdicts():
        seen = []
        for device in (sensor, camera, gateway):
            for family in (4, 6):
                to = lab.server.address(family)
                seen.append(ping(device, to, n=1, patience=0.15))
                for port in (554, 8883):
                    s = tcp_open(device, to, port, timeout=0.15)
                    seen.append(s is not None)
                    if s is not None:
                        s.close()
                seen.append(udp_answers(device, to, 123, n=1, patience=0.15))
        return seen
    before = verdicts()
    assert any(before) and not all(before)
    for rules in ([], ['{ to = ("0.0.0.0/0", "::/0"); any = true; }'], CANDIDATE):
        with staged(world, sensor=rules, camera=rules, gateway=rules):
            assert verdicts() == before


def test_a_table_made_anew(world, sensor):
    """What is staged goes into it, and its counts begin again: that is said."""
    server = world.lab.server
    with staged(world, sensor=CANDIDATE), world.changed() as site:
        assert tcp_works(sensor, server.address(4), 8883)
        site.appliance = site.appliance + ["hook_priority = 5;"]
        assert world.apply()["unstaged"] is None
        got = counts(world)
        assert got["staged"] and got["newly_refused"] == 0
        assert got["counted_since"] > got["since"]
        assert tcp_works(sensor, server.address(6), 8883)
        assert attempts(world, "refused") == {(server.address(6), "tcp", 8883): 1}
        assert world.cordon.try_ctl("policy", "verify").returncode == 0
    assert world.cordon.try_ctl("policy", "verify").returncode == 0


def test_staged_policy_on_trial(world, sensor):
    """Enforced until nobody confirms it."""
    server = world.lab.server
    stage(world, sensor=CANDIDATE)
    done = world.cordon.try_ctl("policy", "apply", "--staged", "--confirm", "1s", "--wait")
    assert done.returncode == 2, done.stderr
    assert tcp_works(sensor, server.address(4), 8883)
    assert tcp_open(sensor, server.address(4), 554, timeout=0.3) is None
    assert not counts(world)["staged"]
    assert world.cordon.try_ctl("policy", "verify").returncode == 0


def test_killed_while_ending_it(world, sensor):
    """What is enforced stands; what was staged still is, or is not."""
    for i in range(3):
        stage(world, sensor=CANDIDATE)
        asking = world.lab.router.popen(world.cordon.command("policy", "unstage"))
        time.sleep(0.002 * i)
        world.cordon.kill("cordond", signal.SIGKILL)
        asking.wait(20)
        world.cordon.wait_until_ready()
        assert tcp_works(sensor, world.lab.server.address(4), 8883), i
        assert world.cordon.try_ctl("policy", "verify").returncode == 0, i
    world.cordon.try_ctl("policy", "unstage")
