# SPDX-License-Identifier: GPL-2.0-or-later
"""Flows that stand, and who tries to use them: forged answers, route flips, addresses that change hands,
rules that were changed behind cordond's back."""
import contextlib
import time

import pytest

from lab import packets
from lab.topology import wait_for
from lab.traffic import tcp_open, udp_answers


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 5), ("camera", 1), ("gateway", 2)])


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


def talk(flow, n=3):
    for _ in range(n):
        flow.send()
        time.sleep(0.03)
        flow.receive()


def outside_frame(world, src, dst, sport, dport, tag):
    """As the server's wire carries it to the router, with any source."""
    return packets.udp_frame(world.lab.server.mac, "02:00:00:ff:00:01", src, dst, sport, dport, tag)


def from_outside(world, *frames):
    wire = packets.Wire(world.lab.server.ns)
    try:
        wire.send(*frames)
    finally:
        wire.close()


@contextlib.contextmanager
def routed_outside(world, device):
    """The way to a device leads out by out0, as if it had moved."""
    server = world.lab.server
    both = (device.ip4 + "/32", device.ip6 + "/128")
    world.lab.router.ip(*(f"route replace {address} dev out0" for address in both))
    for address in (device.ip4, device.ip6):
        world.lab.router.ip(f"neigh replace {address} lladdr {server.mac} dev out0 nud permanent")
    try:
        yield server
    finally:
        world.lab.router.ip(*(f"route replace {address} dev {device.port}" for address in both))
        for address in (device.ip4, device.ip6):
            world.lab.router.ip(f"neigh del {address} dev out0")


# ---- device to device, with somebody outside who pretends to be one end ----------------

@pytest.mark.parametrize("end", ["originator", "responder"])
def test_either_end_in_quarantine(world, family, end):
    """An open flow between two devices ends at once when either is quarantined."""
    sensor, gateway = world.lab.of_kind("sensor")[1], world.lab.of_kind("gateway")[1]
    flow = world.flow(sensor, gateway, family, 1883, f"end{end}{family}")
    victim = sensor if end == "originator" else gateway
    with world.steady(flow, period=0.005) as steady:
        wait_for("them to talk", lambda: len(flow.answered) > 3)
        world.quarantine(victim)
        try:
            time.sleep(0.05)
            count = world.reflector.got(flow.tag).count
            answered = len(flow.answered)
            time.sleep(0.2)
            assert world.reflector.got(flow.tag).count == count
            assert len(flow.answered) == answered
        finally:
            world.release(victim)
        wait_for("them to go on", lambda: len(flow.answered) > answered + 3)
        steady.stop(0)


def test_answers_for_a_device_from_outside(world, family):
    """A host outside answers in a device's place: refused, and the flow gets no live mark by it."""
    sensor, gateway = world.lab.of_kind("sensor")[2], world.lab.of_kind("gateway")[0]
    flow = world.flow(sensor, gateway, family, 1883, f"forged{family}")
    talk(flow)
    assert len(flow.answered) == 3
    sport = flow.sock.getsockname()[1]
    tag = b"forged-answer/99 "
    with world.arrivals(sensor, tag) as got:
        for _ in range(2):
            from_outside(world, *(outside_frame(world, gateway.address(family), sensor.address(family),
                                                1883, sport, tag) for _ in range(3)))
            talk(flow, 1)
        assert got() == 0
    world.quarantine(gateway)
    try:
        count = world.reflector.got(flow.tag).count
        talk(flow)
        assert world.reflector.got(flow.tag).count == count
    finally:
        world.release(gateway)
        flow.sock.close()


def test_route_flip_between_devices(world, family):
    """The responder's route leads outside for a while: nothing more passes than before, then or later."""
    sensor, gateway = world.lab.of_kind("sensor")[2], world.lab.of_kind("gateway")[0]
    flow = world.flow(sensor, gateway, family, 1883, f"flip{family}")
    talk(flow)
    assert len(flow.answered) == 3
    sport = flow.sock.getsockname()[1]
    with routed_outside(world, gateway):
        talk(flow)
        with world.arrivals(sensor, b"flipped/99 ") as got:
            from_outside(world, *(outside_frame(world, gateway.address(family), sensor.address(family),
                                                1883, sport, b"flipped/99 ") for _ in range(3)))
            assert got() == 0
        world.quarantine(gateway)
        try:
            with world.arrivals(world.lab.server, flow.tag.encode()) as got:
                talk(flow)
                assert got() == 0
        finally:
            world.release(gateway)
    world.quarantine(gateway)
    try:
        count = world.reflector.got(flow.tag).count
        talk(flow)
        assert world.reflector.got(flow.tag).count == count
    finally:
        world.release(gateway)
        flow.sock.close()


def test_untracked_between_devices(world, family):
    """Without connection tracking nothing is admitted, not even what the class allows."""
    sensor, gateway = world.lab.of_kind("sensor")[0], world.lab.of_kind("gateway")[0]
    world.lab.router.nft("table inet other {\nchain c {\ntype filter hook prerouting priority -300; policy accept;\n"
                         "udp dport { 1883, 5000 } notrack\nudp sport { 1883, 5000 } notrack\n}\n}\n")
    try:
        assert world.refused(sensor, world.lab.server, family, 5000, tag="untracked")
        assert world.refused(sensor, gateway, family, 1883, tag="untracked-lateral")
    finally:
        world.lab.router.nft("delete table inet other")


# ---- addresses that change hands ---------------------------------------------------------

def test_address_moves_to_another_device(world, family):
    """The old holder's open flow does not reach the new holder, least of all one in quarantine."""
    a, b = world.lab.of_kind("sensor")[3:5]
    flow = world.flow(a, world.lab.server, family, 5000, f"hands{family}", )
    talk(flow)
    assert len(flow.answered) == 3
    sport = flow.sock.getsockname()[1]
    olds = (a.ip4, a.ip6, b.ip4, b.ip6)
    with world.changed():
        a.ip4, a.ip6 = "10.10.77.1", "fd10::7701"
        b.ip4, b.ip6 = olds[0], olds[1]
        try:
            world.lab.router.ip(f"route replace {olds[0]}/32 dev {b.port}", f"route replace {olds[1]}/128 dev {b.port}",
                                f"neigh replace {olds[0]} lladdr {b.mac} dev {b.port} nud permanent",
                                f"neigh replace {olds[1]} lladdr {b.mac} dev {b.port} nud permanent")
            world.apply()
            tag = b"to-the-new-holder"
            frames = [outside_frame(world, world.lab.server.address(family), b.address(family), 5000, sport, tag)
                      for _ in range(3)]
            with world.arrivals(b, tag) as got:
                from_outside(world, *frames)
                world.quarantine(b)
                from_outside(world, *frames)
                assert got() == 0
        finally:
            world.release(b)
            a.ip4, a.ip6, b.ip4, b.ip6 = olds
            world.lab.router.ip(f"neigh del {olds[0]} dev {b.port}", f"neigh del {olds[1]} dev {b.port}",
                                f"route replace {olds[0]}/32 dev {a.port}", f"route replace {olds[1]}/128 dev {a.port}")
            flow.sock.close()


def test_destination_becomes_a_device(world, family):
    """A host outside is declared a device: an open flow to it is one between devices from then on."""
    sensor, camera = world.lab.of_kind("sensor")[0], world.lab.of_kind("camera")[0]
    flow = world.flow(sensor, world.lab.server, family, 5000, f"becomes{family}")
    talk(flow)
    assert len(flow.answered) == 3
    keep = (camera.ip4, camera.ip6)
    with world.changed():
        camera.ip4, camera.ip6 = world.lab.server.ip4, world.lab.server.ip6
        try:
            world.apply()
            world.quarantine(camera)
            count = world.reflector.got(flow.tag).count
            talk(flow)
            assert world.reflector.got(flow.tag).count == count
        finally:
            world.release(camera)
            camera.ip4, camera.ip6 = keep
            flow.sock.close()


# ---- rules that are not as left ------------------------------------------------------------

def test_crash_between_writing_and_loading_a_policy(world, family):
    """The new policy is on disk but not in the kernel when cordond dies: the flows that it forbids
    end with its coming into force, as with any other tightening."""
    sensor = world.lab.of_kind("sensor")[0]
    import os
    import shutil
    state = world.cordon.state
    def images():
        return sorted(n for n in os.listdir(where) if n.startswith("policy-"))
    where = next(d for d, _, files in os.walk(state) if any(f.startswith("policy-") for f in files))
    world.site.write()
    world.cordon.apply()
    with world.changed() as site:
        site.classes["sensor"] = [r.replace('udp = (5000, "5004-5010")', "udp = 5000")
                                  for r in site.classes["sensor"]]
        world.apply()
        narrow = os.path.join(world.lab.dir, "narrow.image")
        shutil.copy2(os.path.join(where, images()[-1]), narrow)
    cut = world.flow(sensor, world.lab.server, family, 5004, f"crash-cut{family}")
    keep = world.flow(sensor, world.lab.server, family, 5000, f"crash-keep{family}")
    with world.steady(cut, keep, period=0.005) as steady:
        wait_for("them to talk", lambda: cut.answered and keep.answered)
        world.cordon.stop()
        number = int(images()[-1][7:15]) + 1
        target = os.path.join(where, f"policy-{number:08d}.image")
        shutil.copy2(narrow, target)
        st = os.stat(os.path.join(where, images()[0]))
        os.chown(target, st.st_uid, st.st_gid)
        world.cordon.start()
        assert world.status()["revision"] == number
        count = world.reflector.got(cut.tag).count
        time.sleep(0.2)
        assert world.reflector.got(cut.tag).count == count
        steady.stop()
        assert keep.lost == 0
    world.apply()
    assert tcp_open(sensor, world.lab.server.address(family), 8883) is not None
    assert udp_answers(sensor, world.lab.server.address(family), 5004) == 4
