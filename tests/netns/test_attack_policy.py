# SPDX-License-Identifier: GPL-2.0-or-later
"""The language turned against itself: what a permission, a refusal or an error could carry besides."""
import contextlib
import time

import pytest

from lab import packets
from lab.packets import TCP, UDP
from lab.traffic import family_of, udp_answers

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
EVERYWHERE = '("0.0.0.0/0", "::/0")'
PREFIX = "fd31:0:0:7"
NOWHERE = {4: "198.51.100.7", 6: "2001:db8:66::7"}     # no route leads there


@pytest.fixture(scope="module")
def world(make_world):
    """Cameras are told of refusals, and anybody may come to them; the second is known by its MAC alone."""
    made = make_world(kinds=(("camera", 2), ("sensor", 2), ("gateway", 1)), start=False)
    made.site.classes = {"camera": [f'{{ to = {SERVER}; udp = 5000; tcp = 8883; }}', f'{{ to = {EVERYWHERE}; udp = (5062, 7100); }}'],
                         "sensor": [f'{{ to = {SERVER}; udp = 5000; }}',
                                    '{ to = "class:camera"; udp = 5060; }'],
                         "gateway": [f'{{ to = {SERVER}; udp = (5000, 5002); }}']}
    made.site.words["camera"] = f'refuse = "reject"; inbound = ( {{ from = {EVERYWHERE}; udp = "5060-5062"; }} );'
    made.site.words["gateway"] = 'rate = { per_second = 2; burst = 2; };'
    gateway, = made.lab.of_kind("gateway")
    made.site.identities[gateway.name] = (f'mac = "{gateway.mac}"; address = [ "{gateway.ip4}", "{gateway.ip6}", '
                                          f'"{PREFIX}::/64" ]; interface = "{gateway.port}";')
    made.lab.router.ip(f"route add {PREFIX}::/64 via {gateway.ip6} dev {gateway.port}")
    made.site.without_address.add(made.lab.of_kind("camera")[1].name)
    made.site.write()
    made.reflector.udp(made.lab.of_kind("camera")[0], 5060, 5061)
    made.reflector.udp(made.lab.of_kind("sensor")[0], 5061)
    made.start()
    return made


@pytest.fixture
def cameras(world):
    return world.lab.of_kind("camera")


@pytest.fixture
def sensors(world):
    return world.lab.of_kind("sensor")


@contextlib.contextmanager
def quarantined(world, device):
    world.quarantine(device)
    try:
        yield
    finally:
        world.release(device)


# ---- errors as a way out --------------------------------------------------------------

def dont_fragment(frame):
    if frame[12:14] != b"\x08\x00":
        return frame
    head = bytearray(frame[14:34])
    head[6:8], head[10:12] = b"\x40\x00", b"\0\0"
    head[10:12] = packets.checksum(bytes(head)).to_bytes(2, "big")
    return frame[:14] + bytes(head) + frame[34:]


def errands(world, device, accomplice, family, tag):
    """Frames in the name of an accomplice outside, at which a router sends that one an error with
    the frame inside."""
    mac, src = world.router_mac(device), accomplice.address(family)
    text = tag + b"-%d"

    def one(i, dst, port, ttl=64, proto=UDP):
        data = (packets.udp(src, dst, 47000 + i, port, text % i) if proto == UDP else
                packets.tcp(src, dst, 47000 + i, port, payload=text % i))
        return packets.frame(device.mac, mac, src, dst, proto, data, ttl)
    server, other = world.lab.server.address(family), world.lab.other.address(family)
    big = packets.frame(device.mac, mac, src, server, UDP,
                        packets.udp(src, server, 47009, 5000, tag + b"-9" + bytes(1440)))
    return {"ttl-allowed": one(1, server, 5000, ttl=1), "ttl-refused": one(2, other, 22, ttl=1),
            "ttl-tcp": one(3, other, 22, ttl=1, proto=TCP), "no-route": one(4, NOWHERE[family], 5000),
            "refused": one(5, other, 22), "refused-tcp": one(6, other, 22, proto=TCP), "too-big": dont_fragment(big)}


def carried(world, accomplice, device, frames, tag):
    """Names of the frames whose text arrived at the accomplice."""
    out = set()
    for name, frame in frames.items():
        with world.arrivals(accomplice, tag) as got:
            world.send_frames(device, frame)
            if got():
                out.add(name)
    return out


def test_errors_carry_nothing_out(world, cameras, sensors, family):
    """Neither of a device in quarantine, nor of a stranger, nor of one that may use any address."""
    mgmt = world.lab.mgmt
    world.lab.router.ip("link set out0 mtu 1400")
    try:
        with quarantined(world, sensors[0]):
            found = {"quarantined": carried(world, mgmt, sensors[0], errands(
                world, sensors[0], mgmt, family, b"errand-q"), b"errand-q")}
        found["any-address"] = carried(world, mgmt, cameras[1], errands(
            world, cameras[1], mgmt, family, b"errand-a"), b"errand-a")
        assert not any(found.values()), found
    finally:
        world.lab.router.ip("link set out0 mtu 1500")


@pytest.mark.parametrize("sender", ["quarantined", "outside"])
def test_errors_carry_nothing_to_a_device(world, cameras, sensors, family, sender):
    """In its name, to where no route leads: the error would go to it, with the packet inside."""
    lab, victim, tag = world.lab, sensors[1], b"carried-in"
    liar = sensors[0] if sender == "quarantined" else lab.mgmt
    src = victim.address(family)
    frames = {"no-route": packets.frame(liar.mac, world.router_mac(liar), src, NOWHERE[family], UDP,
                                        packets.udp(src, NOWHERE[family], 47100, 5000, tag)),
              "ttl": packets.frame(liar.mac, world.router_mac(liar), src, lab.server.address(family), UDP,
                                   packets.udp(src, lab.server.address(family), 47101, 5000, tag), 1)}
    with quarantined(world, sensors[0]):
        wire = packets.Wire(victim.ns, receive=True)
        try:
            for frame in frames.values():
                world.send_frames(liar, frame)
            time.sleep(0.3)
            assert wire.count(tag) == 0
        finally:
            wire.close()


def test_errors_about_a_flow_arrive(world, sensors, family):
    """What a device needs for a path with a smaller MTU, also for a flow between devices."""
    sensor, camera = sensors[1], world.lab.of_kind("camera")[0]
    for host, port, out in ((world.lab.server, 5000, "out0"), (camera, 5060, camera.port)):
        src, dst, sport = sensor.address(family), host.address(family), 47200 + port
        with sensor.ns.socket(family_of(dst), 2) as sock:
            sock.bind((src, sport))
            assert udp_answers(sensor, dst, port, sock=sock, tag="path") == 4
            world.lab.router.ip(f"link set {out} mtu 1300")
            try:
                big = world.frame(sensor, host, family, UDP, packets.udp(src, dst, sport, port, b"path-mtu" + bytes(1392)))
                wire = packets.Wire(sensor.ns, receive=True)
                try:
                    world.send_frames(sensor, dont_fragment(big))
                    time.sleep(0.2)
                    assert wire.count(b"path-mtu") == 1, host
                finally:
                    wire.close()
            finally:
                world.lab.router.ip(f"link set {out} mtu 1500")


# ---- a device's name from outside ------------------------------------------------------

def test_a_device_does_not_come_from_outside(world, cameras, sensors, family):
    """Who may come in may be everybody: no device, when it comes that way."""
    camera, sensor, outside = cameras[0], sensors[0], world.lab.mgmt
    frame = packets.frame(outside.mac, world.router_mac(outside), sensor.address(family), camera.address(family), UDP,
                          packets.udp(sensor.address(family), camera.address(family), 48000, 5061, b"<in-its-name>"))
    assert world.arrived(outside, camera, {"in-its-name": frame}, set()) == set()


def test_nobodys_address_opens_no_way_between_devices(world, cameras, family):
    """From outside, in the name of a device whose address is not declared: the answer would go to that one."""
    (camera, victim), outside = cameras, world.lab.mgmt
    gateway, = world.lab.of_kind("gateway")
    for i, (name, to) in enumerate([(victim.address(family), victim), *([(f"{PREFIX}::77", gateway)] if family == 6 else [])]):
        frame = packets.frame(outside.mac, world.router_mac(outside), name, camera.address(family), UDP,
                              packets.udp(name, camera.address(family), 48100 + i, 5062, b"<opens>"))
        world.arrived(outside, camera, {"opens": frame}, {"opens"})
        answers = {f"answer{n}": packets.frame(camera.mac, world.router_mac(camera), camera.address(family), name, UDP,
                                               packets.udp(camera.address(family), name, 5062, 48100 + i,
                                                           f"<answer{n}>".encode())) for n in range(3)}
        assert world.arrived(camera, to, answers, set()) == set(), name


# ---- by other addresses -----------------------------------------------------------------

@contextlib.contextmanager
def translated(world, family, camera, sensor):
    """Ports of the router that lead to devices, and everybody behind the router's address."""
    ip, router = ("ip", "192.0.2.1") if family == 4 else ("ip6", "fd20::1")
    to = {9001: (camera, 5061), 9002: (sensor, 5061), 9003: (camera, 5060)}
    lines = [f"{ip} daddr {router} udp dport {port} dnat {ip} to "
             + (f"{d.ip4}:{at}" if family == 4 else f"[{d.ip6}]:{at}") for port, (d, at) in to.items()]
    text = ("table inet nat {\n chain pre { type nat hook prerouting priority -100;\n" + "\n".join(lines)
            + "\n}\n chain post { type nat hook postrouting priority 100;\n"
            f"oifname out0 masquerade\n{ip} daddr {camera.address(family)} masquerade\n}}\n}}\n")
    world.lab.router.run(["sh", "-ec", 'printf %s "$1" | nft -f -', "sh", text])
    try:
        yield router
    finally:
        world.lab.router.run(["nft", "delete", "table", "inet", "nat"])


def test_translated_addresses_are_judged_as_they_are(world, cameras, sensors, family):
    """In from outside, and from device to device by the router's own address and back."""
    camera, sensor, mgmt = cameras[0], sensors[0], world.lab.mgmt

    def closed(sender, port):
        return udp_answers(sender, router, port, n=2, patience=0.15) == 0
    with translated(world, family, camera, sensor) as router:
        assert udp_answers(mgmt, router, 9001) == 4
        assert udp_answers(sensor, router, 9003) == 4
        assert udp_answers(sensor, world.lab.server.address(family), 5000) == 4
        assert closed(mgmt, 9002) and closed(sensor, 9001) and closed(camera, 9002)
        with quarantined(world, camera):
            assert closed(mgmt, 9001) and closed(sensor, 9003)
        with quarantined(world, sensor):
            assert closed(sensor, 9003)


# ---- what is said of it -----------------------------------------------------------------

def test_explained_inside_a_prefix(world, cameras):
    """An address that somebody makes up is nobody's to others, whatever a class may reach."""
    camera, inside = cameras[0], f"{PREFIX}::abcd"
    gateway, = world.lab.of_kind("gateway")
    data = packets.udp(camera.ip6, inside, 49100, 7100, b"<inside>")
    frame = packets.frame(camera.mac, world.router_mac(camera), camera.ip6, inside, UDP, data)
    assert world.arrived(camera, gateway, {"inside": frame}, set()) == set()
    assert world.cordon.try_ctl("policy", "explain", "--device", camera.name, "--to", inside, "--udp", "7100",
                                "--json").returncode == 2
    # and it comes from there as that device, which may not
    data = packets.udp(inside, camera.ip6, 49101, 5060, b"<from-inside>")
    frame = packets.frame(gateway.mac, world.router_mac(gateway), inside, camera.ip6, UDP, data)
    assert world.arrived(gateway, camera, {"from-inside": frame}, set()) == set()
    assert world.cordon.try_ctl("policy", "explain", "--device", camera.name, "--from", inside, "--udp", "5060",
                                "--json").returncode == 2


# ---- the rate --------------------------------------------------------------------------

def test_one_way_flow_is_one_connection(world, family):
    gateway, = world.lab.of_kind("gateway")
    time.sleep(1.2)
    with world.arrivals(world.lab.server, b"one-way") as got:
        src, dst = gateway.address(family), world.lab.server.address(family)
        world.send_frames(gateway, *(packets.udp_frame(gateway.mac, world.router_mac(gateway), src, dst,
                                                       49000, 5002, b"one-way") for _ in range(10)))
        assert got(10) == 10
