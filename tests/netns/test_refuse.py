# SPDX-License-Identifier: GPL-2.0-or-later
"""`refuse`: what a device hears of a refusal, and that hearing it opens nothing."""
import contextlib
import errno
import ipaddress
import json
import struct
import time

import pytest

from lab import packets
from lab.packets import ACK, ICMP, ICMP6, RST, SYN, TCP, UDP
from lab.traffic import family_of

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
ADMINISTRATIVELY_PROHIBITED = {4: (3, 13), 6: (1, 1)}      # RFC 1812 5.2.7.1, RFC 4443 3.1
STRANGER = "02:00:00:de:ad:77"


@pytest.fixture(scope="module")
def world(make_world):
    """Cameras are told, sensors are not."""
    made = make_world(kinds=(("camera", 2), ("sensor", 1)), start=False)
    rules = [f'{{ to = {SERVER}; tcp = 8883; udp = 5000; }}']
    made.site.classes = {"camera": list(rules), "sensor": list(rules)}
    made.site.words = {kind: f'refuse = "{word}"; inbound = ( {{ from = "192.0.2.10"; tcp = 554; }} );'
                       for kind, word in (("camera", "reject"), ("sensor", "drop"))}
    made.site.write()
    made.start()
    return made


@pytest.fixture
def camera(world):
    return world.lab.of_kind("camera")[0]


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


class Heard:
    """A packet as it came in at a wire, without the frame's head."""

    def __init__(self, data):
        self.family = 4 if data[12:14] == b"\x08\x00" else 6 if data[12:14] == b"\x86\xdd" else 0
        data = data[14:]
        if self.family == 4:
            self.proto, self.source, self.payload = data[9], data[12:16], data[(data[0] & 15) * 4:]
        elif self.family == 6:
            self.proto, self.source, self.payload = data[6], data[8:24], data[40:]
        else:
            self.proto, self.source, self.payload = 0, b"", b""
        self.source = str(ipaddress.ip_address(self.source)) if self.source else ""

    @property
    def of_interest(self):
        """Neither ARP nor neighbour discovery nor multicast listening."""
        return self.family and not (self.proto == ICMP6 and self.payload[0] >= 130) and self.proto != 0

    def __repr__(self):
        return f"{self.source} protocol {self.proto} {self.payload[:24].hex()}"


def heard(world, device, *frames, n=None):
    """What comes in at the sender's wire after these frames: n packets, or nothing for a while."""
    wire = packets.Wire(device.ns, receive=True)
    try:
        world.send_frames(device, *frames)
        deadline = time.monotonic() + (2 if n else 0.2)
        while True:
            got = [h for h in map(Heard, wire.read()) if h.of_interest]
            if time.monotonic() > deadline or (n and len(got) >= n):
                return got
            time.sleep(0.005)
    finally:
        wire.close()


def syn(world, device, host, family, port, sport=41000, **kw):
    return world.frame(device, host, family, TCP, packets.tcp(
        kw.get("src") or device.address(family), host.address(family), sport, port, seq=1000), **kw)


def datagram(world, device, host, family, port, sport=41000, tag=b"no", **kw):
    return world.frame(device, host, family, UDP, packets.udp(
        kw.get("src") or device.address(family), host.address(family), sport, port, tag), **kw)


def connect(device, host, family, port):
    """errno of a connect, and how long it took."""
    start = time.monotonic()
    with device.ns.socket(family_of(host.address(family))) as s:
        s.settimeout(0.6)
        try:
            s.connect((host.address(family), port))
            return 0, 0
        except TimeoutError:
            return errno.ETIMEDOUT, time.monotonic() - start
        except OSError as e:
            return e.errno, time.monotonic() - start


@pytest.mark.vm
def test_tcp_is_reset_at_once(world, camera, sensor, family):
    code, seconds = connect(camera, world.lab.other, family, 8883)
    assert code == errno.ECONNREFUSED and seconds < 0.3
    assert connect(sensor, world.lab.other, family, 8883)[0] == errno.ETIMEDOUT
    got, = heard(world, camera, syn(world, camera, world.lab.other, family, 22), n=1)
    sport, dport, _, ack, offset_flags = struct.unpack("!HHIIH", got.payload[:14])
    assert got.source == world.lab.other.address(family)       # from the address it asked for
    assert (got.proto, sport, dport, ack) == (TCP, 22, 41000, 1001)
    assert offset_flags & 0x3f == RST | ACK


@pytest.mark.vm
def test_others_hear_that_it_is_prohibited(world, camera, family):
    """ICMP's error, with what was refused inside; the socket that sent gets it too."""
    other = world.lab.other
    gre = world.frame(camera, other, family, packets.GRE, packets.gre(b"no"))
    echo = (ICMP, 8) if family == 4 else (ICMP6, 128)
    ping = world.frame(camera, other, family, echo[0], packets.icmp(
        camera.address(family), other.address(family), payload=b"no"))
    for frame in (datagram(world, camera, other, family, 5000), gre, ping):
        got, = heard(world, camera, frame, n=1)
        assert got.source == ("10.10.255.254" if family == 4 else "fd20::1")        # the appliance
        assert got.proto == echo[0] and tuple(got.payload[:2]) == ADMINISTRATIVELY_PROHIBITED[family]
        inside = Heard(b"\0" * 12 + frame[12:14] + got.payload[8:])
        sent = Heard(frame)
        assert (inside.source, inside.proto) == (camera.address(family), sent.proto)
        assert inside.payload[:8] == sent.payload[:8]
    with camera.ns.socket(family_of(other.address(family)), 2) as s:
        s.settimeout(0.6)
        s.connect((other.address(family), 5000))
        s.send(b"no")
        with pytest.raises(OSError) as told:
            s.recv(100)
        # Linux: of the codes that say so, this one is EHOSTUNREACH for IPv4
        assert told.value.errno == (errno.EHOSTUNREACH if family == 4 else errno.EACCES)


@pytest.mark.vm
def test_drop_says_nothing(world, sensor, family):
    other = world.lab.other
    gre = world.frame(sensor, other, family, packets.GRE, packets.gre(b"no"))
    assert heard(world, sensor, syn(world, sensor, other, family, 22), gre,
                 datagram(world, sensor, other, family, 5000)) == []


def test_a_changed_word_holds_at_once(world, camera, family):
    frame = syn(world, camera, world.lab.other, family, 22)
    assert len(heard(world, camera, frame, n=1)) == 1
    with world.changed() as site:
        site.words["camera"] = 'inbound = ( { from = "192.0.2.10"; tcp = 554; } );'       # drop is the default
        world.apply()
        assert heard(world, camera, frame) == []
    assert len(heard(world, camera, frame, n=1)) == 1


def test_explained(world, camera, sensor, family):
    for device, verdict in ((camera, "rejected"), (sensor, "refused")):
        done = world.cordon.try_ctl("policy", "explain", "--device", device.name, "--to",
                                    world.lab.other.address(family), "--tcp", "22", "--json")
        assert done.returncode == 2 and json.loads(done.stdout)["verdict"] == verdict
        assert world.cordon.ask("class", "show", device.kind)["refuse"] == ("reject" if device is camera else "drop")


def test_recorded_the_same(world, camera, sensor, family):
    for device in (camera, sensor):
        world.send_frames(device, *[syn(world, device, world.lab.other, family, 2323)] * 3)
        world.send_frames(device, *[datagram(world, device, world.lab.other, family, 2324)] * 2)
    keys = ("reason", "verdict", "identity", "hook", "protocol", "port", "packets", "destination", "bytes")

    def rows(device, port, packets_):
        return world.wait_attempts(device=device.name, port=port, destination=world.lab.other.address(family),
                                   packets=packets_)
    for port, count in ((2323, 3), (2324, 2)):
        told, dropped = ({k: rows(d, port, count)[0][k] for k in keys} for d in (camera, sensor))
        assert told == dropped
        assert (told["reason"], told["verdict"]) == ("not-allowed", "refused")


@contextlib.contextmanager
def quarantined(world, device):
    world.quarantine(device)
    try:
        yield
    finally:
        world.release(device)


@pytest.mark.vm
def test_nobody_else_is_told(world, camera, family):
    """Strangers, liars, quarantined devices, and who comes from outside: silence."""
    lab = world.lab
    second = lab.of_kind("camera")[1]
    for kw in ({"mac": STRANGER}, {"src": second.address(family)},
               {"src": "10.10.77.7" if family == 4 else "fd10::77"}):
        assert heard(world, camera, syn(world, camera, lab.other, family, 22, **kw),
                     datagram(world, camera, lab.other, family, 5000, **kw)) == [], kw
    assert heard(world, lab.other, syn(world, lab.other, camera, family, 22),
                 datagram(world, lab.other, camera, family, 5000)) == []
    with quarantined(world, camera):
        assert heard(world, camera, syn(world, camera, lab.server, family, 8883),
                     syn(world, camera, lab.other, family, 22),
                     datagram(world, camera, lab.server, family, 5000)) == []
    assert len(heard(world, camera, syn(world, camera, lab.other, family, 22), n=1)) == 1


def test_between_devices_the_originator_is_told(world, camera, sensor, family):
    """A refused camera hears it; the one it asked for hears nothing. To a quarantined one, nobody does."""
    frame = syn(world, camera, sensor, family, 22)
    wire = packets.Wire(sensor.ns, receive=True)
    try:
        got, = heard(world, camera, frame, n=1)
        assert got.source == sensor.address(family) and got.payload[13] & RST
        assert not [h for h in map(Heard, wire.read()) if h.of_interest]
    finally:
        wire.close()
    with quarantined(world, sensor):
        assert heard(world, camera, frame) == []


@pytest.mark.vm
def test_the_reset_opens_nothing(world, camera, family):
    """After a rejection: no connection is tracked, and neither side's next packet passes."""
    other, sport = world.lab.other, 41777
    assert len(heard(world, camera, syn(world, camera, other, family, 22, sport=sport), n=1)) == 1
    assert len(heard(world, camera, datagram(world, camera, other, family, 5000, sport=sport), n=1)) == 1
    shown = world.lab.router.run(["conntrack", "-L", "-f", f"ipv{family}"], check=False).stdout
    assert f"sport={sport}" not in shown
    source, to = camera.address(family), other.address(family)
    answers = {f"answer{flags}": world.frame(other, camera, family, TCP, packets.tcp(
        to, source, 22, sport, flags=flags, seq=1, ack=1001, payload=f"<answer{flags}>".encode()))
        for flags in (SYN | ACK, ACK, RST | ACK)}
    answers["udp"] = world.frame(other, camera, family, UDP, packets.udp(to, source, 5000, sport, b"<udp>"))
    assert world.arrived(other, camera, answers, set()) == set()
    further = {f"further{flags}": world.frame(camera, other, family, TCP, packets.tcp(
        source, to, sport, 22, flags=flags, seq=1001, ack=1, payload=f"<further{flags}>".encode()))
        for flags in (ACK, RST, SYN)}
    assert world.arrived(camera, other, further, set()) == set()


def test_resets_of_the_appliance_are_no_way_in(world, camera, family):
    """The appliance may send resets and errors to devices, and nothing beside."""
    router = world.lab.router
    source, to = world.lab.other.address(family), camera.address(family)
    frames = {"ack": packets.tcp(source, to, 22, 41888, flags=ACK, payload=b"<ack>"),
              "syn": packets.tcp(source, to, 22, 41888, flags=SYN, payload=b"<syn>"),
              "udp": packets.udp(source, to, 5000, 41888, b"<udp>"),
              "echo": packets.icmp(source, to, kind=8 if family == 4 else 128, payload=b"<echo>")}
    protos = {"ack": TCP, "syn": TCP, "udp": UDP, "echo": ICMP if family == 4 else ICMP6}
    wire = packets.Wire(camera.ns, receive=True)
    try:
        for name, data in frames.items():
            with router.socket(family_of(to), 3, 255) as raw, contextlib.suppress(PermissionError):
                raw.sendto(packets.ip_packet(source, to, protos[name], data), (to, 0))
        time.sleep(0.2)
        assert [name for name in frames if wire.count(f"<{name}>".encode())] == []
    finally:
        wire.close()
