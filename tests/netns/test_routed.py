# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices that are known otherwise than by MAC and address: behind a router of their own, and
inside an IPv6 prefix."""
import ipaddress
import time

import pytest

from lab import packets
from lab.netns import Namespace
from lab.packets import UDP
from lab.topology import GATEWAY4, GATEWAY6, ROUTER4, ROUTER6, Host, Lab
from lab.traffic import TcpFlow, family_of, ping, tcp_works, udp_answers

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
UNKNOWN = "02:00:00:de:ad:21"
PREFIX = "fd31:0:0:7"
INSIDE, OUTSIDE = ([str(ipaddress.ip_address(a)) for a in those] for those in (
    (f"{PREFIX}::1", f"{PREFIX}:a1b2:c3d4:e5f6:718", f"{PREFIX}:ffff:ffff:ffff:ffff"),
    ("fd31:0:0:8::1", "fd31:0:0:6:ffff:ffff:ffff:ffff", "fd31::1")))


class Behind(Host):
    """One of the hosts behind the relay."""

    def __init__(self, prefix, n, kind):
        super().__init__(Namespace(f"{prefix}-behind{n}"), f"02:00:00:0b:00:{n:02x}", f"10.20.0.{n}", f"fd21::{n:x}")
        self.n = n
        self.name = f"behind-{n}"
        self.kind = kind
        self.shared = False
        self.serial = ""


class RoutedLab(Lab):
    """The relay is a router behind a port of ours; four hosts are behind it."""

    def __init__(self, **kw):
        super().__init__(**kw)
        self.behind = [Behind(self.prefix, n, "sensor") for n in (1, 2, 3, 4)]

    def namespaces(self):
        return super().namespaces() + [host.ns for host in self.__dict__.get("behind", [])]

    def up(self, owner=None):
        super().up(owner)
        relay, = self.of_kind("relay")
        relay.ns.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1)
        for host in self.behind:
            wire = f"to{host.n}"
            relay.ns.sysctl(net__ipv6__conf__default__accept_dad=0)
            relay.ns.ip(f"link add {wire} address 02:00:00:0b:01:{host.n:02x} type veth peer name eth0 "
                        f"address {host.mac} netns {host.ns.name}", f"link set {wire} up",
                        f"addr add {GATEWAY6}/64 dev {wire} nodad",
                        f"route add {host.ip4}/32 dev {wire}", f"route add {host.ip6}/128 dev {wire}")
            host.ns.sysctl(net__ipv6__conf__eth0__accept_dad=0, net__ipv4__conf__all__rp_filter=0)
            host.ns.ip("link set lo up", f"addr add {host.ip4}/32 dev eth0", f"addr add {host.ip6}/128 dev eth0 nodad",
                       "link set eth0 up", f"route add default via {GATEWAY4} dev eth0 onlink",
                       f"route add ::/0 via {GATEWAY6} dev eth0")
        # the relay has the gateway's address on its side, too
        relay.ns.ip(f"addr add {GATEWAY4}/32 dev lo", "route del default",
                    f"route add default via {ROUTER4} dev eth0 onlink")
        self.router.ip(f"route add 10.20.0.0/24 via {relay.ip4} dev {relay.port} onlink",
                       f"route add fd21::/64 via {relay.ip6} dev {relay.port}")
        for host in self.hosts.values():
            host.ns.ip(f"route add 10.20.0.0/24 via {ROUTER4}", f"route add fd21::/64 via {ROUTER6}",
                       f"route add fd31::/32 via {ROUTER6}")
        return self


@pytest.fixture(scope="module")
def world(make_world):
    """behind-1 and -2 are declared with the relay's MAC, behind-3 without, behind-4 not at all."""
    made = make_world(kinds=(("relay", 1), ("camera", 2)), build=RoutedLab, start=False)
    lab = made.lab
    relay, = lab.of_kind("relay")
    cameras = lab.of_kind("camera")
    made.site.classes = {
        "sensor": [f'{{ to = {SERVER}; udp = 5000; tcp = 8883; icmp = 8; icmpv6 = 128; }}',
                   '{ to = "class:camera"; udp = 1883; }'],
        "camera": [f'{{ to = {SERVER}; udp = (5000, 5001); tcp = 8883; }}']}
    made.site.words["sensor"] = 'inbound = ( { from = ("192.0.2.10", "fd20::10"); udp = 5060; } );'
    made.site.devices = [*lab.behind[:3], *cameras]
    for host in lab.behind[:3]:
        via = f' via = "{relay.mac}";' if host.n != 3 else ""
        made.site.identities[host.name] = (f'address = [ "{host.ip4}", "{host.ip6}" ]; '
                                           f'interface = "{relay.port}";{via}')
    made.site.identities[cameras[0].name] = (f'mac = "{cameras[0].mac}"; '
                                             f'address = [ "{cameras[0].ip4}", "{PREFIX}::/64" ]; '
                                             f'interface = "{cameras[0].port}";')
    made.site.write()
    for host in lab.behind:
        made.reflector.udp(host, 5060)
    made.reflector.udp(cameras[1], 1883)
    cameras[0].ns.ip(*(f"addr add {a}/128 dev eth0 nodad" for a in INSIDE),
                     *(f"addr add {a}/128 dev eth0 nodad preferred_lft 0" for a in OUTSIDE),
                     f"addr change {cameras[0].ip6}/128 dev eth0 nodad preferred_lft 0")
    lab.router.ip(f"route add fd31::/32 dev {cameras[0].port}")
    made.start()
    return made


@pytest.fixture
def behind(world):
    return world.lab.behind


@pytest.fixture
def relay(world):
    return world.lab.of_kind("relay")[0]


# ---- behind a router ----------------------------------------------------------------

@pytest.mark.vm
def test_each_is_told_apart_by_its_address(world, behind, family):
    server = world.lab.server
    for host in behind[:3]:
        assert udp_answers(host, server.address(family), 5000) == 4, host.name
        assert tcp_works(host, server.address(family), 8883), host.name
        assert ping(host, server.address(family), n=2) == 2, host.name
        assert world.refused(host, server, family, 5001, n=2, tag=f"routed{host.n}")
        row = world.wait_attempts(device=host.name, port=5001, source=host.address(family))[0]
        assert (row["identity"], row["reason"]) == ("proved", "not-allowed")
    assert udp_answers(world.lab.mgmt, behind[0].address(family), 5060) == 4
    assert udp_answers(behind[0], world.lab.of_kind("camera")[1].address(family), 1883) == 4


@pytest.mark.vm
def test_an_undeclared_address_behind_the_same_router_is_a_stranger(world, behind, relay, family):
    fourth = behind[3]
    assert world.refused(fourth, world.lab.server, family, 5000, tag="fourth")
    row = world.wait_attempts(source=fourth.address(family), port=5000)[0]
    assert (row["device"], row["reason"], row["identity"], row["mac"]) == (None, "unknown-device", "none", relay.mac)
    with world.arrivals(fourth, b"to-fourth") as got:
        udp_answers(world.lab.mgmt, fourth.address(family), 5060, n=2, tag="to-fourth", patience=0.1)
        assert got() == 0
    # the relay itself is nobody either
    assert world.refused(relay, world.lab.server, family, 5000, n=2, tag="relay")


@pytest.mark.vm
def test_only_through_that_router_and_at_that_port(world, behind, relay, family):
    """With `via` the relay's MAC is needed; without it, any at the port; at another port, neither."""
    camera = world.lab.of_kind("camera")[1]
    server = world.lab.server

    def passes(sender, host, mac, name):
        frame = world.frame(sender, server, family, UDP, packets.udp(
            host.address(family), server.address(family), 43000 + passes.n, 5000, f"<{name}>".encode()),
            mac=mac, src=host.address(family))
        passes.n += 1
        return world.arrived(sender, server, {name: frame}, {name} if "yes" in name else set()) == {name}
    passes.n = 0
    assert passes(relay, behind[0], relay.mac, "via-yes")
    assert not passes(relay, behind[0], UNKNOWN, "via-other-mac")
    assert passes(relay, behind[2], UNKNOWN, "any-mac-yes")
    for host in (behind[0], behind[2]):
        for mac in (relay.mac, camera.mac, UNKNOWN):
            assert not passes(camera, host, mac, f"port-{host.n}-{mac}")
    row = world.wait_attempts(source=behind[0].address(family), reason="wrong-mac", mac=UNKNOWN)[0]
    assert (row["device"], row["identity"]) == (behind[0].name, "claimed")
    row = world.wait_attempts(source=behind[2].address(family), reason="wrong-port", mac=UNKNOWN)[0]
    assert (row["device"], row["interface"]) == (behind[2].name, camera.port)
    assert world.wait_attempts(source=behind[0].address(family), reason="wrong-port", mac=relay.mac)


def test_established_flows_take_the_fast_path_and_no_other_way(world, behind, relay, family):
    """An open flow's packets are not judged again (nothing refuses them), and nobody joins in
    from another port or with another MAC."""
    camera = world.lab.of_kind("camera")[1]
    server, host, open_one = world.lab.server, behind[0], behind[2]
    for one, mac_counts in ((host, True), (open_one, False)):
        sport = 43500 + one.n
        with one.ns.socket(family_of(server.address(family)), 2) as sock:
            sock.bind((one.address(family), sport))
            assert udp_answers(one, server.address(family), 5000, sock=sock, tag=f"open{one.n}") == 4
            data = packets.udp(one.address(family), server.address(family), sport, 5000, b"<inject>")

            def inject(sender, mac):
                frame = world.frame(sender, server, family, UDP, data, mac=mac, src=one.address(family))
                return world.arrived(sender, server, {"inject": frame}, set()) == {"inject"}
            for mac in (relay.mac, camera.mac, UNKNOWN):
                assert not inject(camera, mac), (one.name, mac)
            assert inject(relay, UNKNOWN) != mac_counts, one.name
            assert udp_answers(one, server.address(family), 5000, sock=sock, tag=f"still{one.n}") == 4
    assert world.cordon.elements("live_routed")


@pytest.mark.vm
def test_quarantine_of_one_leaves_the_others(world, behind, family):
    server = world.lab.server
    flows = [TcpFlow(host, server.address(family), 8883, f"q-{host.name}-{family}") for host in behind[:3]]
    flows += [world.flow(host, server, family, 5000, f"qu-{host.name}-{family}") for host in behind[:3]]
    for victim in (behind[0], behind[2]):
        cut = [flow for flow in flows if victim.name in flow.tag]
        with world.steady(*flows, period=0.01) as steady:
            time.sleep(0.1)
            world.quarantine(victim)
            try:
                came = {flow.tag: world.reflector.got(flow.tag).count for flow in flows}
                assert all(came.values())
                time.sleep(0.3)
                for flow in flows:
                    moved = world.reflector.got(flow.tag).count > came[flow.tag]
                    assert moved != (flow in cut), (victim.name, flow.tag)
            finally:
                world.release(victim)
            steady.stop(0.3)
            assert not [flow.tag for flow in flows if flow not in cut and flow.lost]
        flows = [world.flow(host, server, family, 5000, f"again-{host.name}-{family}") for host in behind[:3]]


def test_tightened_behind_a_router(world, behind, family):
    host, server = behind[1], world.lab.server
    keep = world.flow(host, server, family, 5000, f"rt-keep{family}")
    cut = TcpFlow(host, server.address(family), 8883, f"rt-cut{family}")
    with world.steady(keep, cut, period=0.005) as steady, world.changed() as site:
        time.sleep(0.1)
        site.classes["sensor"] = [site.classes["sensor"][0].replace(" tcp = 8883;", ""), *site.classes["sensor"][1:]]
        done = world.apply()
        came = world.reflector.got(cut.tag).count
        time.sleep(0.2)
        assert world.reflector.got(cut.tag).count == came, done
        steady.stop(0.3)
        assert keep.lost == 0 and keep.sent > 10


# ---- inside a prefix ------------------------------------------------------------------

@pytest.fixture
def camera(world):
    return world.lab.of_kind("camera")[0]


@pytest.mark.vm
def test_any_address_inside_the_prefix(world, camera):
    server = world.lab.server
    for address in INSIDE:
        assert udp_answers(camera, server.ip6, 5000, src=address, tag="inside") == 4, address
        assert udp_answers(camera, server.ip6, 123, n=1, src=address, patience=0) == 0
        row = world.wait_attempts(source=address, port=123)[0]
        assert (row["device"], row["identity"], row["reason"]) == (camera.name, "proved", "not-allowed")
    # its IPv4 address is as good as before
    assert udp_answers(camera, server.ip4, 5000) == 4


@pytest.mark.vm
def test_outside_the_prefix(world, camera):
    for i, address in enumerate((*OUTSIDE, camera.ip6)):
        with world.arrivals(world.lab.server, b"outside-it") as got:
            udp_answers(camera, world.lab.server.ip6, 5000, n=2, src=address, tag="outside-it", patience=0.1)
            assert got() == 0, address
        row = world.wait_attempts(source=address, port=5000)[0]
        assert (row["device"], row["reason"], row["identity"]) == (camera.name, "wrong-address", "claimed"), i


@pytest.mark.vm
def test_another_mac_inside_the_prefix(world, camera):
    """It is not that device: neither at another port, nor at the same one, nor in an open flow."""
    other, server = world.lab.of_kind("camera")[1], world.lab.server
    with camera.ns.socket(10, 2) as sock:
        sock.bind((INSIDE[1], 44001))
        assert udp_answers(camera, server.ip6, 5001, sock=sock, tag="own") == 4
        for sender, mac in ((other, other.mac), (other, camera.mac), (other, UNKNOWN), (camera, UNKNOWN)):
            for sport in (44001, 44002):
                frame = world.frame(sender, server, 6, UDP, packets.udp(INSIDE[1], server.ip6, sport, 5001, b"<alien>"),
                                    mac=mac, src=INSIDE[1])
                assert world.arrived(sender, server, {"alien": frame}, set()) == set(), (sender.name, mac, sport)
        assert udp_answers(camera, server.ip6, 5001, sock=sock, tag="own2") == 4
    assert world.wait_attempts(source=INSIDE[1], mac=camera.mac, reason="wrong-port", device=camera.name)


def test_link_local_to_the_appliance(world, camera):
    """The appliance's services are asked from a link-local address as well."""
    done = camera.ns.run(["ping", "-q", "-c2", "-i0.02", "-W1", f"{GATEWAY6}%eth0"], check=False)
    assert " 2 received" in done.stdout, done.stdout
    mine = "fe80::" + camera.ns.run(["ip", "-6", "addr", "show", "dev", "eth0", "scope", "link"]
                                    ).stdout.split("inet6 fe80::")[1].split("/")[0]
    other = world.lab.of_kind("camera")[1]
    # the other has whole addresses only, and nobody has a stranger's MAC
    for sender, mac in ((other, other.mac), (camera, UNKNOWN)):
        request = world.frame(sender, sender, 6, packets.ICMP6, packets.icmp(
            mine, GATEWAY6, payload=b"<link-local>"), mac=mac, src=mine, dst=GATEWAY6)
        wire = packets.Wire(sender.ns, receive=True)
        try:
            world.send_frames(sender, request)
            time.sleep(0.1)
            assert wire.count(b"<link-local>") == 0, mac
        finally:
            wire.close()


def test_quarantine_holds_for_every_address_inside(world, camera):
    flow = TcpFlow(camera, world.lab.server.ip6, 8883, "prefix-open")
    assert flow.sock.getsockname()[0] in INSIDE
    with world.steady(flow, period=0.005):
        time.sleep(0.1)
        assert flow.answered
        world.quarantine(camera)
        try:
            came = world.reflector.got("prefix-open").count
            time.sleep(0.15)
            assert world.reflector.got("prefix-open").count == came
            for address in INSIDE:
                with world.arrivals(world.lab.server, b"jailed") as got:
                    udp_answers(camera, world.lab.server.ip6, 5000, n=2, src=address, tag="jailed", patience=0.05)
                    assert got() == 0, address
        finally:
            world.release(camera)
    assert udp_answers(camera, world.lab.server.ip6, 5000, src=INSIDE[2]) == 4


def test_shown(world, behind, camera, relay):
    """`device show` says how each is known, and the kernel agrees with the policy."""
    shown = world.cordon.device(behind[0].name)
    assert (shown["mac"], shown["via"], shown["interface"]) == (None, relay.mac, relay.port)
    assert shown["addresses"] == [behind[0].ip4, behind[0].ip6]
    shown = world.cordon.device(behind[2].name)
    assert (shown["mac"], shown["via"]) == (None, None)
    shown = world.cordon.device(camera.name)
    assert shown["addresses"] == [camera.ip4, f"{PREFIX}::/64"]
    assert (shown["mac"], shown["via"]) == (camera.mac, None)
    assert world.cordon.ask("policy", "verify")["agrees"]
