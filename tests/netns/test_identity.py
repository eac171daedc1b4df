# SPDX-License-Identifier: GPL-2.0-or-later
"""A device is its MAC, its addresses and its router port: every other combination is refused
and recorded as what it is."""
import time

import pytest

from lab import packets
from lab.traffic import Flow, TcpFlow

pytestmark = pytest.mark.once

UNKNOWN = "02:00:00:de:ad:01"


def free_address(family):
    return "10.10.99.99" if family == 4 else "fd10::9999"


@pytest.fixture
def three(world):
    return world.lab.of_kind("sensor")[:3]


def nothing_gets_through(world, device, frames, tag):
    with world.arrivals(world.lab.server, tag) as got:
        world.send_frames(device, *frames)
        assert got() == 0


@pytest.mark.vm
def test_wrong_address(world, three, family):
    one = three[0]
    nothing_gets_through(world, one, world.forged(one, world.lab.server.address(family),
                                                  src=free_address(family), tag=b"moved"), b"moved")
    rows = world.wait_attempts(reason="wrong-address", source=free_address(family))
    assert rows[0]["device"] == one.name
    assert rows[0]["identity"] == "claimed"


def test_siblings_address(world, three, family):
    """A sibling's address with the own MAC: the MAC says who it is."""
    one, two = three[:2]
    nothing_gets_through(world, one, world.forged(one, world.lab.server.address(family),
                                                  src=two.address(family), tag=b"sibaddr"), b"sibaddr")
    assert world.wait_attempts(source=two.address(family), mac=one.mac)


@pytest.mark.vm
def test_unknown_mac(world, three, family):
    one = three[0]
    nothing_gets_through(world, one, world.forged(one, world.lab.server.address(family), mac=UNKNOWN,
                                                  tag=b"unknown"), b"unknown")
    rows = world.wait_attempts(reason="wrong-mac", mac=UNKNOWN, source=one.address(family))
    assert rows[0]["device"] == one.name


def test_unknown_device(world, three, family):
    """Neither MAC nor address are anybody's."""
    mac = "02:00:00:de:ad:02"
    nothing_gets_through(world, three[0], world.forged(three[0], world.lab.server.address(family), mac=mac,
                                                       src=free_address(family), tag=b"nobody"), b"nobody")
    rows = world.wait_attempts(reason="unknown-device", mac=mac)
    assert rows[0]["device"] is None


@pytest.mark.vm
def test_siblings_mac_and_address_at_the_own_port(world, three, family):
    liar, victim = three[0], three[1]
    frames = [packets.udp_frame(victim.mac, world.router_mac(liar), victim.address(family),
                                world.lab.server.address(family), 40000, 5000, b"twin/%d " % i) for i in range(4)]
    nothing_gets_through(world, liar, frames, b"twin")
    rows = world.wait_attempts(reason="wrong-port", mac=victim.mac)
    assert rows[0]["interface"] == liar.port
    assert rows[0]["device"] == victim.name


@pytest.fixture
def open_flow(request):
    """open_flow(...): a UDP flow that is admitted and established; closed with the test."""
    def make(*args):
        flow = established(*args)
        request.addfinalizer(flow.sock.close)
        return flow
    return make


def established(world, device, family, sport):
    flow = Flow(device, world.lab.server.address(family), 5000, f"open{sport}", sport=sport)
    for _ in range(3):
        flow.send()
        time.sleep(0.05)
        flow.receive()
    assert len(flow.answered) == 3
    return flow


@pytest.mark.vm
@pytest.mark.parametrize("mac", ["own", "unknown", "victim"])
def test_injection_into_an_open_flow(world, three, open_flow, family, mac):
    """Somebody at another port sends into a flow that the victim has open."""
    liar, victim = three[0], three[2]
    sport = {"own": 42001, "unknown": 42002, "victim": 42003}[mac]
    flow = open_flow(world, victim, family, sport)
    source = {"own": liar.mac, "unknown": UNKNOWN, "victim": victim.mac}[mac]
    frames = [packets.udp_frame(source, world.router_mac(liar), victim.address(family),
                                world.lab.server.address(family), sport, 5000, b"inject/%d " % i)
              for i in range(4)]
    nothing_gets_through(world, liar, frames, b"inject")
    flow.send()
    time.sleep(0.1)
    flow.receive()
    assert len(flow.answered) == 4      # the victim's own flow goes on


@pytest.mark.vm
def test_injection_of_tcp_into_an_open_connection(world, three, family):
    """The same with TCP segments that conntrack finds in window or not at all."""
    liar, victim = three[0], three[2]
    flow = TcpFlow(victim, world.lab.server.address(family), 8883, "tcpopen")
    flow.send()
    time.sleep(0.1)
    flow.receive()
    assert flow.answered
    sport = flow.sock.getsockname()[1]
    frames = [packets.tcp_frame(victim.mac, world.router_mac(liar), victim.address(family),
                                world.lab.server.address(family), sport, 8883, flags=flags, seq=1, ack=1,
                                payload=b"injecttcp")
              for flags in (packets.ACK, packets.PSH | packets.ACK, packets.RST)]
    nothing_gets_through(world, liar, frames, b"injecttcp")
    flow.send()
    time.sleep(0.1)
    flow.receive()
    assert len(flow.answered) == 2
    flow.sock.close()


def test_injection_towards_a_device(world, three, open_flow, family):
    """A device pretends to be the server, towards another device."""
    liar, victim = three[0], three[1]
    open_flow(world, victim, family, 42010)
    frames = [packets.udp_frame(liar.mac, world.router_mac(liar), world.lab.server.address(family),
                                victim.address(family), 5000, 42010, b"fromserver/%d " % i) for i in range(4)]
    with world.arrivals(victim, b"fromserver") as got:
        world.send_frames(liar, *frames)
        assert got() == 0


def test_device_without_declared_address(make_world, family):
    """Its MAC is its identity: any address but another device's."""
    world = make_world(kinds=[("sensor", 2)], start=False)
    one, two = world.lab.devices
    world.site.without_address = {one.name}
    world.site.write()
    world.start()
    server = world.lab.server
    with world.arrivals(server, b"free") as got:
        world.send_frames(one, *world.forged(one, server.address(family), src=free_address(family), tag=b"free"))
        assert got(4) >= 4
    nothing_gets_through(world, one, world.forged(one, server.address(family), src=two.address(family),
                                                  tag=b"taken"), b"taken")


def test_shared_segment_works_and_is_told(world, family):
    """On a segment shared by several devices MAC and address can be taken; policy check says so."""
    a, b = [d for d in world.lab.devices if d.shared]
    assert world.delivered(a, world.lab.server, family, 5000) == 4
    nothing_gets_through(world, a, world.forged(a, world.lab.server.address(family), src=b.address(family),
                                                tag=b"half"), b"half")
    done = world.cordon.try_ctl("policy", "check")
    assert done.returncode == 0
    assert "2 devices are not bound to a router port" in done.stderr


def test_clone_at_another_port_is_recorded(make_world, family):
    """A device talks at its own port while somebody else uses its MAC and address at another."""
    world = make_world(kinds=[("sensor", 2)])
    victim, thief = world.lab.devices
    server = world.lab.server
    for i in range(3):
        assert world.delivered(victim, server, family, 5000, n=1) == 1
        world.send_frames(thief, packets.udp_frame(victim.mac, world.router_mac(thief), victim.address(family),
                                                   server.address(family), 43000 + i, 5004 + i, b"clone/1 "))
        time.sleep(0.1)
    assert world.wait_attempts(reason="clone", device=victim.name)
    assert world.reflector.got("clone").count == 0


def test_clone_of_an_unbound_device_is_recorded(make_world):
    """Bound to no port, both users get through: here, there, and here again is the sign.
    The kernel tells of each place once in half a minute, so this takes longer than that."""
    world = make_world(kinds=[("sensor", 2)], start=False)
    victim, thief = world.lab.devices
    world.site.without_port = {victim.name}
    world.site.write()
    world.start()
    server = world.lab.server
    deadline = time.monotonic() + 45
    sport = 43000
    while time.monotonic() < deadline and not world.attempts(reason="clone", device=victim.name):
        assert world.delivered(victim, server, 4, 5000, n=1) == 1
        world.send_frames(thief, packets.udp_frame(victim.mac, world.router_mac(thief), victim.ip4, server.ip4,
                                                   sport, 5004, b"clone/1 "))
        sport += 1      # only a new flow is judged; the others have their way already
        time.sleep(1)
    assert world.attempts(reason="clone", device=victim.name)


def test_wrong_frames_do_not_disturb_the_owner(world, three, family):
    """While somebody lies about them, the victims lose nothing."""
    liar, victim = three[0], three[1]
    flow = world.flow(victim, world.lab.server, family, 5000, "calm")
    with world.steady(flow, period=0.005) as steady:
        for i in range(20):
            world.send_frames(liar, *world.forged(liar, world.lab.server.address(family), mac=UNKNOWN,
                                                  src=victim.address(family), tag=b"noise", sport=50000 + i))
            time.sleep(0.01)
        steady.stop()
        assert flow.lost == 0
    assert world.reflector.got("noise").count == 0
