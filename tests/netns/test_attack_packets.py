# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of every shape: extension headers, fragments, cut-off headers, other protocols, other addresses.
What the class does not allow never arrives; what it does allow arrives whole."""
import socket
import struct

import pytest

from lab import packets
from lab.topology import wait_for
from lab.traffic import Flow, family_of, ping, udp_answers

pytestmark = pytest.mark.once

GRE, ESP, SCTP, DCCP, UDPLITE, NO_NEXT, HOP, ROUTING, FRAGMENT, OPTIONS = 47, 50, 132, 33, 136, 59, 0, 43, 44, 60


@pytest.fixture(scope="module")
def world(make_world):
    world = make_world(kinds=[("sensor", 4), ("camera", 1), ("gateway", 1)], start=False)
    world.site.classes["camera"] += ['{ to = ("192.0.2.2", "fd20::2"); protocol = 47; sctp = 5000; }',
                                     '{ to = ("192.0.2.3", "fd20::3"); any = true; }']
    world.site.write()
    world.start()
    return world


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


@pytest.fixture
def camera(world):
    return world.lab.of_kind("camera")[0]


def raw(world, device, dst, proto, payload, src=None):
    return packets.frame(device.mac, world.router_mac(device), src or device.address(6 if ":" in dst else 4), dst,
                         proto, payload)


def arrived(world, device, host, tag, *frames, expected=None):
    with world.arrivals(host, tag) as got:
        world.send_frames(device, *frames)
        return got(expected)


def sctp(sport, dport, payload):
    """An INIT chunk whose body is the payload, with the right CRC32c."""
    body = payload + b"\0" * (-len(payload) % 4)
    chunk = struct.pack("!BBH", 1, 0, 4 + 16 + len(body)) + struct.pack("!IIHHI", 1, 65535, 1, 1, 1) + body
    head = struct.pack("!HHI", sport, dport, 0)
    return head + struct.pack("<I", crc32c(head + b"\0\0\0\0" + chunk)) + chunk


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def extended(first, chain, src, dst, port, tag, last=packets.UDP):
    """An IPv6 payload with extension headers before a UDP datagram."""
    payload = packets.udp(src, dst, 40000, port, tag)
    for kind, nxt in reversed(list(zip(chain, chain[1:] + [last]))):
        body = {HOP: b"\x01\x04\0\0\0\0", OPTIONS: b"\x01\x04\0\0\0\0", ROUTING: b"\x04\x00\0\0\0\0",
                FRAGMENT: b"\0\0\0\0\0\x07"}[kind]
        payload = bytes([nxt, 0]) + body + payload
    return first, payload


# ---- IPv6 extension headers ---------------------------------------------------------------

CHAINS = [[HOP], [OPTIONS], [HOP, OPTIONS], [OPTIONS, OPTIONS, OPTIONS], [FRAGMENT], [OPTIONS, FRAGMENT],
          [FRAGMENT, OPTIONS], [ROUTING]]


@pytest.mark.parametrize("chain", CHAINS, ids=lambda c: "-".join(map(str, c)))
def test_extension_headers_hide_no_port(world, sensor, chain):
    """The port behind extension headers is the one that is judged."""
    server = world.lab.server.ip6
    for port, allowed in ((5000, True), (5999, False)):
        tag = f"ext{port}-{'-'.join(map(str, chain))}".encode()
        proto, payload = extended(chain[0], chain, sensor.ip6, server, port, tag)
        n = arrived(world, sensor, world.lab.server, tag, raw(world, sensor, server, proto, payload),
                    expected=1 if allowed else None)
        assert bool(n) == allowed


def test_extension_headers_are_recorded(world, sensor):
    proto, payload = extended(OPTIONS, [OPTIONS], sensor.ip6, world.lab.other.ip6, 7101, b"ext")
    world.send_frames(sensor, raw(world, sensor, world.lab.other.ip6, proto, payload))
    assert world.wait_attempts(device=sensor.name, port=7101)[0]["protocol"] == "udp"


def test_nothing_behind_the_header(world, sensor):
    """No next header, an unknown one, and a chain that ends in the middle."""
    server = world.lab.server.ip6
    before = world.status()["refused"]
    frames = [raw(world, sensor, server, NO_NEXT, b"endless-chain"), raw(world, sensor, server, 253, b"endless-chain"),
              raw(world, sensor, server, OPTIONS, b"\x11\xff" + b"endless-chain"),
              raw(world, sensor, server, FRAGMENT, b"\x11\0\0\0\0\0\0\x09" + b"\0\0"),
              raw(world, sensor, server, HOP, b"\x11")]
    assert arrived(world, sensor, world.lab.server, b"endless-chain", *frames) == 0
    assert world.status()["refused"] != before


# ---- fragments ------------------------------------------------------------------------------

def fragments4(world, device, dst, payload, ident, cuts, proto=packets.UDP):
    out, mac = [], packets.mac_bytes
    edges = [0, *cuts, len(payload)]
    for begin, end in zip(edges, edges[1:]):
        flags = begin // 8 | (0x2000 if end != len(payload) else 0)
        part = packets.ip_packet(device.ip4, dst, proto, payload[begin:end])
        head = part[:4] + struct.pack("!HH", ident, flags) + part[8:10] + b"\0\0" + part[12:20]
        head = head[:10] + struct.pack("!H", packets.checksum(head)) + head[12:]
        out.append(mac(world.router_mac(device)) + mac(device.mac) + b"\x08\x00" + head + part[20:])
    return out


def fragments6(world, device, dst, payload, ident, cuts, proto=packets.UDP):
    edges = [0, *cuts, len(payload)]
    return [raw(world, device, dst, FRAGMENT, struct.pack("!BBHI", proto, 0, begin | (end != len(payload)), ident)
                + payload[begin:end]) for begin, end in zip(edges, edges[1:])]


def fragments(world, device, dst, *args, **kw):
    return (fragments6 if ":" in dst else fragments4)(world, device, dst, *args, **kw)


@pytest.mark.parametrize("cuts", [(8,), (16, 32), (24,)], ids=str)
def test_fragments_are_judged_whole(world, sensor, family, cuts):
    dst = world.lab.server.address(family)
    for port, expected in ((5999, None), (5000, 1)):
        tag = b"cut-into-pieces-%d" % port
        payload = packets.udp(sensor.address(family), dst, 40100, port, b"p" * 64 + tag)
        frames = fragments(world, sensor, dst, payload, 77 + port + sum(cuts), cuts)
        n = arrived(world, sensor, world.lab.server, tag, *frames, expected=expected)
        assert bool(n) == bool(expected)    # the sender's own error about the answer quotes the tag, too


def test_fragments_out_of_order_and_overlapping(world, sensor, family):
    """A second first fragment with an allowed port over one that is not, either way round."""
    dst = world.lab.server.address(family)
    good = packets.udp(sensor.address(family), dst, 40101, 5000, b"q" * 64 + b"overlapped")
    bad = packets.udp(sensor.address(family), dst, 40101, 5999, b"q" * 64 + b"overlapped")
    for i, (a, b) in enumerate(((good, bad), (bad, good))):
        one = fragments(world, sensor, dst, a, 900 + i, (16,))
        two = fragments(world, sensor, dst, b, 900 + i, (16,))
        with world.arrivals(world.lab.server, b"overlapped") as got:
            world.send_frames(sensor, one[0], two[0], one[1])
            world.send_frames(sensor, one[1], two[0], one[0])
            got()
        wire = packets.Wire(world.lab.server.ns, receive=True)
        world.send_frames(sensor, two[0], one[0], two[1])
        wait = [f for f in wire.read() if struct.pack("!HH", 40101, 5999) in f]
        wire.close()
        assert not wait


def test_lone_later_fragment(world, sensor, family):
    dst = world.lab.server.address(family)
    payload = packets.udp(sensor.address(family), dst, 40102, 5000, b"r" * 64 + b"lone-piece")
    assert arrived(world, sensor, world.lab.server, b"lone-piece",
                   fragments(world, sensor, dst, payload, 950, (16,))[1]) == 0


# ---- headers cut off ------------------------------------------------------------------------

@pytest.mark.parametrize("proto,length", [(packets.TCP, n) for n in (0, 3, 4, 13, 19)]
                         + [(packets.UDP, n) for n in (0, 1, 3, 4, 7)] + [(SCTP, 3), (SCTP, 8), (DCCP, 3), (UDPLITE, 5),
                                                                         (packets.ICMP, 0), (packets.ICMP, 3)])
def test_cut_off_header(world, sensor, family, proto, length):
    """Too short for its protocol: dropped, and counted."""
    if proto == packets.ICMP and family == 6:
        proto = packets.ICMP6
    dst = world.lab.server.address(family)
    before = world.status()["refused"]["invalid_packets"], world.cordon.device(sensor.name)["refused_packets"]
    whole = packets.udp(sensor.address(family), dst, 40103, 5000) + b"\0" * 20
    wire = packets.Wire(world.lab.server.ns, receive=True)
    world.send_frames(sensor, raw(world, sensor, dst, proto, whole[:length]))
    wait_for("the packet to be counted", lambda: (
        world.status()["refused"]["invalid_packets"], world.cordon.device(sensor.name)["refused_packets"]) != before, 3)
    mac = packets.mac_bytes(world.lab.server.mac)
    got = [f for f in wire.read() if f[:6] == mac and (f[23:24] if family == 4 else f[20:21]) == bytes([proto])]
    wire.close()
    assert not got


# ---- protocols without ports, and other ones with -------------------------------------------

def test_gre_and_its_answers(world, sensor, camera, family):
    server = world.lab.server
    for device, expected in ((camera, 1), (sensor, 0)):
        tag = b"gre-" + device.name.encode()
        frame = raw(world, device, server.address(family), GRE, b"\0\0\x08\0" + tag)
        assert arrived(world, device, server, tag, frame, expected=expected or None) == expected
    with world.arrivals(camera, b"gre-answer") as got:
        wire = packets.Wire(server.ns)
        wire.send(packets.frame(server.mac, "02:00:00:ff:00:01", server.address(family), camera.address(family), GRE,
                                b"\0\0\x08\0gre-answer"))
        assert got(1) == 1
        world.quarantine(camera)
        wire.send(packets.frame(server.mac, "02:00:00:ff:00:01", server.address(family), camera.address(family), GRE,
                                b"\0\0\x08\0gre-answer"))
        wire.close()
        try:
            assert got() == 1
            tag = b"gre-after"
            assert arrived(world, camera, server, tag, raw(world, camera, server.address(family), GRE,
                                                          b"\0\0\x08\0" + tag)) == 0
        finally:
            world.release(camera)


def test_sctp_by_port(world, sensor, camera, family):
    server = world.lab.server
    for device, port, expected in ((camera, 5000, 1), (camera, 5001, 0), (sensor, 5000, 0)):
        tag = f"sctp-{device.name}-{port}".encode()
        frame = raw(world, device, server.address(family), SCTP, sctp(40000, port, tag))
        assert arrived(world, device, server, tag, frame, expected=expected or None) == expected
    assert world.wait_attempts(device=sensor.name, protocol="sctp", port=5000, destination=server.address(family))


def test_any_is_every_protocol_and_nothing_else(world, sensor, camera, family):
    other = world.lab.other
    portless = (GRE, ESP, 2, 4, 41, 89, 103, 255)

    def frames(device, protocols):
        body = struct.pack("!HHHH", 40000, 7, 40, 0) + b"any-proto" * 4
        return [raw(world, device, other.address(family), proto,
                    sctp(40000, 7, b"any-proto") if proto == SCTP else body) for proto in protocols]
    assert arrived(world, sensor, other, b"any-proto", *frames(sensor, (*portless, SCTP, DCCP, UDPLITE))) == 0
    n = len(portless) + 1
    assert arrived(world, camera, other, b"any-proto", *frames(camera, (*portless, SCTP)), expected=n) >= n


def test_icmp_types(world, sensor):
    """Only the type that is named; errors that belong to no flow do not pass."""
    server = world.lab.server
    quoted = packets.ip_packet(server.ip4, sensor.ip4, packets.UDP, packets.udp(server.ip4, sensor.ip4, 1, 2))

    def frame(kind, code=0):
        return packets.icmp_frame(sensor.mac, world.router_mac(sensor), sensor.ip4, server.ip4, kind=kind, code=code,
                                  payload=quoted + b"an-icmp-type")
    assert arrived(world, sensor, server, b"an-icmp-type", frame(8), frame(8, 1), expected=2) == 2
    others = [frame(kind, code) for kind in range(256) if kind != 8 for code in (0, 1)]
    assert arrived(world, sensor, server, b"an-icmp-type", *others) == 0


def test_icmpv6_types(world, sensor):
    server = world.lab.server

    def frame(kind):
        return packets.icmp_frame(sensor.mac, world.router_mac(sensor), sensor.ip6, server.ip6, kind=kind,
                                  payload=b"z" * 48 + b"an-icmp6-type")
    assert arrived(world, sensor, server, b"an-icmp6-type", frame(128), expected=1) == 1
    others = [frame(kind) for kind in range(256) if kind != 128]
    assert arrived(world, sensor, server, b"an-icmp6-type", *others) == 0


def test_errors_of_an_admitted_flow_pass(world, sensor, family):
    """Nobody listens at 5005, which is allowed: the server's error reaches the device, and only its own."""
    s = sensor.ns.socket(family_of(world.lab.server.address(family)), socket.SOCK_DGRAM)
    s.settimeout(1)
    s.connect((world.lab.server.address(family), 5005))
    s.send(b"hello")
    with pytest.raises(ConnectionRefusedError):
        s.recv(100)
    s.close()


def test_error_as_a_way_out(world, sensor, family):
    """An error that quotes an admitted flow goes to that flow's other end and to nobody else."""
    server, other = world.lab.server, world.lab.other
    flow = Flow(sensor, server.address(family), 5000, "quoted", sport=42100 + family)
    flow.send()
    wait_for("an answer", lambda: flow.receive() or flow.answered)
    inner = packets.udp(server.address(family), sensor.address(family), 5000, 42100 + family, b"way-out" * 4)
    quoted = packets.ip_packet(server.address(family), sensor.address(family), packets.UDP, inner)
    kind = 3 if family == 4 else 1
    frame = packets.icmp_frame(sensor.mac, world.router_mac(sensor), sensor.address(family), other.address(family),
                               kind=kind, payload=quoted)
    assert arrived(world, sensor, other, b"way-out", frame) == 0
    # the flow's mark does not help a sibling
    sibling = world.lab.of_kind("sensor")[1]
    frame = packets.icmp_frame(sibling.mac, world.router_mac(sibling), sibling.address(family), server.address(family),
                               kind=kind, payload=quoted)
    assert arrived(world, sibling, server, b"way-out", frame) == 0
    world.quarantine(sensor)
    try:
        frame = packets.icmp_frame(sensor.mac, world.router_mac(sensor), sensor.address(family),
                                   server.address(family), kind=kind, payload=quoted)
        assert arrived(world, sensor, server, b"way-out", frame) == 0
    finally:
        world.release(sensor)
        flow.sock.close()


# ---- addresses, frames ------------------------------------------------------------------------

SOURCES = ["::", "::1", "::ffff:10.10.0.1", "fe80::200:ff:fe00:1", "ff02::1", "64:ff9b::a0a:1", "fd10::ffff",
           "0.0.0.0", "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "192.0.2.2"]


def test_strange_sources(world, sensor):
    frames = [packets.udp_frame(sensor.mac, world.router_mac(sensor), src, world.lab.server.address(6 if ":" in src else 4),
                                40000, 5000, b"strange-source") for src in SOURCES]
    assert arrived(world, sensor, world.lab.server, b"strange-source", *frames) == 0


def test_strange_destinations(world, sensor):
    """Multicast, broadcast and mapped addresses lead nowhere."""
    tag = b"strange-destination"
    frames = [packets.udp_frame(sensor.mac, world.router_mac(sensor), sensor.address(6 if ":" in dst else 4), dst,
                                40000, 5000, tag)
              for dst in ("::ffff:192.0.2.2", "ff0e::1", "224.1.1.1", "255.255.255.255", "10.10.255.255",
                          "fe80::1", "ff02::1", "ff02::2")]
    for host in (world.lab.server, world.lab.of_kind("sensor")[1]):
        assert arrived(world, sensor, host, tag, *frames) == 0


def test_frames_of_another_kind(world, sensor):
    """An IPv4 packet that is allowed, in frames of other kinds and with tags: not forwarded."""
    tag = b"frame-of-another-kind"
    good = packets.udp_frame(sensor.mac, world.router_mac(sensor), sensor.ip4, world.lab.server.ip4, 40000, 5000, tag)
    kinds = ("810000070800", "8100000086dd", "88a80007810000080800", "86dd", "8137", "8864001100010000", "88e5")
    frames = [good[:12] + bytes.fromhex(kind) + good[14:] for kind in kinds]
    assert arrived(world, sensor, world.lab.server, tag, *frames) == 0


def test_priority_tag_changes_nothing(world, sensor):
    """VLAN 0 is no VLAN: judged as the packet that it carries, by the right MAC."""
    for port in (5000, 5999):
        tag = b"priority-tag-%d" % port
        good = packets.udp_frame(sensor.mac, world.router_mac(sensor), sensor.ip4, world.lab.server.ip4, 40000, port, tag)
        n = arrived(world, sensor, world.lab.server, tag, good[:12] + bytes.fromhex("8100e0000800") + good[14:],
                    expected=1 if port == 5000 else None)
        assert bool(n) == (port == 5000)
    liar = world.lab.of_kind("sensor")[1]
    bad = packets.udp_frame(liar.mac, world.router_mac(liar), sensor.ip4, world.lab.server.ip4, 40000, 5000, b"tagged-liar")
    assert arrived(world, liar, world.lab.server, b"tagged-liar",
                   bad[:12] + bytes.fromhex("8100e0000800") + bad[14:]) == 0


def test_frame_to_another_mac(world, sensor):
    """Broadcast and multicast frames with a unicast packet inside are not forwarded."""
    tag = b"not-your-frame"
    frames = [packets.udp_frame(sensor.mac, mac, sensor.ip4, world.lab.server.ip4, 40000, 5000, tag)
              for mac in (packets.BROADCAST, "01:00:5e:00:00:01", "33:33:00:00:00:01", "02:00:00:00:77:77")]
    assert arrived(world, sensor, world.lab.server, tag, *frames) == 0


def test_two_addresses(world, sensor, family):
    """A device that sends from an address it does not hold beside its own loses nothing and gains nothing."""
    extra = "10.10.88.1" if family == 4 else "fd10::8801"
    server = world.lab.server
    flow = world.flow(sensor, server, family, 5000, f"two{family}")
    with world.steady(flow, period=0.005) as steady:
        frames = [packets.udp_frame(sensor.mac, world.router_mac(sensor), extra, server.address(family), 40000 + i, 5000,
                                    b"second-address") for i in range(10)]
        assert arrived(world, sensor, server, b"second-address", *frames) == 0
        steady.stop()
        assert flow.lost == 0
    assert world.wait_attempts(device=sensor.name, reason="wrong-address", source=extra)


# ---- the appliance itself -----------------------------------------------------------------------

def test_appliance_in_quarantine(world, family):
    """A quarantined device reaches no service, and what the appliance still sends it stops."""
    device = world.lab.of_kind("sensor")[2]
    address = "192.0.2.1" if family == 4 else "fd20::1"
    assert ping(device, address) == 3
    world.quarantine(device)
    try:
        assert ping(device, address) == 0
        assert udp_answers(device, address, 67, n=2, patience=0.1) == 0
        router = type("R", (), {"ns": world.lab.router})
        with world.arrivals(device, b"from-the-router") as got:
            udp_answers(router, device.address(family), 5000, n=3, tag="from-the-router", patience=0.1)
            assert got() == 0
    finally:
        world.release(device)


def test_services_by_every_address(world, sensor):
    """What is no service is none at any of the appliance's addresses; a service's port number does not
    help another protocol."""
    with world.lab.router.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.bind(("::", 6767))
        s.settimeout(0.15)
        for dst in ("192.0.2.1", "fd20::1", "10.10.255.254", "fe80::1"):
            src = "fe80::dead" if dst == "fe80::1" else sensor.address(6 if ":" in dst else 4)
            world.send_frames(sensor, packets.udp_frame(sensor.mac, world.router_mac(sensor), src, dst, 67, 6767,
                                                        b"to-the-appliance"))
        with pytest.raises(OSError):
            s.recv(100)
