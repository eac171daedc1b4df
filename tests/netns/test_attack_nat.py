# SPDX-License-Identifier: GPL-2.0-or-later
"""Quarantine cuts open flows whatever is done to their addresses: masqueraded, sent elsewhere, or
redirected to the appliance itself; and the errors that belong to them."""
import socket
import time

import pytest

from lab import packets
from lab.topology import wait_for
from lab.traffic import Flow, TcpFlow, family_of, ping, tcp_works

pytestmark = pytest.mark.once

FRONT = {4: "198.51.100.9", 6: "fd99::9"}      # what devices believe the server to be

NAT = """table inet nat {
chain pre {
type nat hook prerouting priority -100; policy accept;
meta nfproto ipv4 meta l4proto { tcp, udp } th dport 53 dnat ip to 192.0.2.1:5353
meta nfproto ipv6 meta l4proto { tcp, udp } th dport 53 dnat ip6 to [fd20::1]:5353
ip daddr 198.51.100.9 dnat ip to 192.0.2.2
ip6 daddr fd99::9 dnat ip6 to fd20::2
}
chain post {
type nat hook postrouting priority 100; policy accept;
iifname != "out0" oifname "out0" meta l4proto { tcp, udp, icmp, icmpv6 } masquerade
}
}
"""


@pytest.fixture(scope="module")
def world(make_world):
    world = make_world(kinds=[("sensor", 10)], start=False)
    world.site.services += ["{ udp = 5353; tcp = 5353; }"]
    world.site.write()
    world.start()
    world.lab.router.nft(NAT)
    for route in ("198.51.100.0/24", "fd99::/64"):
        world.lab.router.ip(f"route add {route} dev out0")
    host = type("Host", (), {"ns": world.lab.router})
    for family, address in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "fd20::1")):
        for kind, handler in ((socket.SOCK_DGRAM, world.reflector._datagrams), (socket.SOCK_STREAM, world.reflector._accept)):
            s = host.ns.socket(family, kind)
            s.bind((address, 5353))
            s.setblocking(False)
            if kind == socket.SOCK_STREAM:
                s.listen(8)
            world.reflector._add(s, handler)
    return world


@pytest.fixture(scope="module")
def spare(world):
    left = list(world.lab.devices)
    return left.pop


def cut(world, victim, flows):
    """All talk; then the victim is in quarantine and nothing moves in either direction."""
    with world.steady(*flows, period=0.01) as steady:
        wait_for("all to talk", lambda: all(len(f.answered) > 2 for f in flows))
        world.quarantine(victim)
        time.sleep(0.1)
        before = [(world.reflector.got(f.tag).count, len(f.answered)) for f in flows]
        time.sleep(0.3)
        assert [(world.reflector.got(f.tag).count, len(f.answered)) for f in flows] == before
        steady.stop(0)


@pytest.mark.parametrize("how", ["masqueraded", "dnat", "redirected"])
def test_open_flows_are_cut(world, spare, family, how):
    victim = spare()
    dst, udp, tcp = {"masqueraded": (world.lab.server.address(family), 5000, 8883),
                     "dnat": (FRONT[family], 5000, 8883), "redirected": (FRONT[family], 53, 53)}[how]
    flows = [Flow(victim, dst, udp, f"{how}{family}u"), TcpFlow(victim, dst, tcp, f"{how}{family}t")]
    cut(world, victim, flows)
    assert not tcp_works(victim, dst, tcp, timeout=0.3)
    assert tcp_works(victim, world.lab.remedy.address(family), 443)


@pytest.mark.parametrize("way", ["plain", "dnat"])
def test_echo_is_cut_in_the_middle(world, spare, family, way):
    """One identifier, one conntrack entry: requests and what still comes back."""
    victim = spare()
    dst = world.lab.server.address(family) if way == "plain" else FRONT[family]

    def request(seq):
        return packets.icmp_frame(victim.mac, world.router_mac(victim), victim.address(family), dst, ident=77, seq=seq,
                                  payload=b"echo-in-the-middle")
    with world.arrivals(world.lab.server, b"echo-in-the-middle") as got, \
            world.arrivals(victim, b"echo-in-the-middle") as back:
        world.send_frames(victim, request(1), request(2))
        assert got(2) == 2 and back(2) == 2
        world.quarantine(victim)
        world.send_frames(victim, request(3), request(4))
        assert got() == 2 and back() == 2
    assert ping(victim, dst, n=1) == 0
    world.release(victim)


def test_errors_are_cut(world, family):
    """An error of the server about the victim's flow, sent after the cut, does not arrive."""
    victim = world.lab.devices[0]
    dst = world.lab.server.address(family)
    world.lab.router.nft("flush chain inet nat post")
    if world.station(victim) == "quarantined":
        world.release(victim)
    s = victim.ns.socket(family_of(dst), socket.SOCK_DGRAM)
    s.bind((victim.address(family), 42200))
    s.connect((dst, 5000))
    s.settimeout(1)
    s.send(b"err/1 ")
    assert s.recv(100)
    inner = packets.ip_packet(victim.address(family), dst, packets.UDP,
                              packets.udp(victim.address(family), dst, 42200, 5000, b"quoted-error"))
    error = packets.icmp_frame(world.lab.server.mac, "02:00:00:ff:00:01", dst, victim.address(family),
                               kind=3 if family == 4 else 1, code=3 if family == 4 else 4, payload=inner)
    wire = packets.Wire(world.lab.server.ns)
    with world.arrivals(victim, b"quoted-error") as got:
        wire.send(error)
        assert got(1) == 1
        world.quarantine(victim)
        wire.send(error)
        assert got() == 1
    wire.close()
    s.close()
    world.release(victim)
