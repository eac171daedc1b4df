# SPDX-License-Identifier: GPL-2.0-or-later
"""`inbound`: who may begin a connection to a device, and that it opens nothing else."""
import json
import time

import pytest

from lab import packets
from lab.packets import ACK, ICMP, ICMP6, RST, SYN, TCP, UDP
from lab.traffic import TcpFlow, ping, tcp_open, tcp_works, udp_answers

pytestmark = pytest.mark.once

FROM_MGMT = '{ from = ("192.0.2.10", "fd20::10"); tcp = 554; udp = 5060; icmp = "echo-request"; icmpv6 = "echo-request"; }'
FROM_GATEWAY = '{ from = "class:gateway"; tcp = 8080; udp = 8080; icmp = "echo-request"; icmpv6 = "echo-request"; }'


@pytest.fixture(scope="module")
def world(make_world):
    """Cameras answer on four ports; who may ask is what the tests are about."""
    made = make_world(kinds=(("camera", 2), ("sensor", 1), ("gateway", 1)), start=False)
    made.site.classes = {"camera": ['{ to = ("192.0.2.2", "fd20::2"); udp = 5000; }'],
                         "sensor": ['{ to = ("192.0.2.2", "fd20::2"); udp = 5000; }'],
                         "gateway": ['{ to = ("192.0.2.2", "fd20::2"); udp = 5000; }']}
    made.site.words["camera"] = f"inbound = ( {FROM_MGMT}, {FROM_GATEWAY} );"
    made.site.write()
    for device in made.lab.devices:
        made.reflector.tcp(device, 554, 8080, 22)
        made.reflector.udp(device, 5060, 8080)
    made.start()
    return made


@pytest.fixture
def camera(world):
    return world.lab.of_kind("camera")[0]


def echo(family):
    return (ICMP, 8) if family == 4 else (ICMP6, 128)


@pytest.mark.vm
def test_what_is_named_comes_in_and_nothing_else(world, camera, family):
    lab = world.lab
    address = camera.address(family)
    assert tcp_works(lab.mgmt, address, 554)
    assert udp_answers(lab.mgmt, address, 5060) == 4
    assert ping(lab.mgmt, address) == 3
    other_type = (ICMP, 13) if family == 4 else (ICMP6, 139)
    assert not world.probe(lab.mgmt, camera, family, {
        "named": (TCP, 554, True), "port-below": (TCP, 553, False), "port-above": (TCP, 555, False),
        "other-protocol": (UDP, 554, False), "udp": (UDP, 5060, True), "not-udp": (TCP, 5060, False),
        "type": (*other_type, False), "gre": (packets.GRE, 0, False)})
    assert not world.probe(lab.other, camera, family, {
        "stranger-tcp": (TCP, 554, False), "stranger-udp": (UDP, 5060, False),
        "stranger-ping": (*echo(family), False)})
    assert not world.probe(lab.mgmt, lab.of_kind("sensor")[0], family, {
        "class-tcp": (TCP, 554, False), "class-ping": (*echo(family), False)})
    rows = world.wait_attempts(device=camera.name, source=lab.other.address(family), port=554, reason="inbound")
    assert rows[0]["verdict"] == "refused"


@pytest.mark.vm
def test_the_device_cannot_use_it_to_go_out(world, camera, family):
    """No new flow, whatever its ports: not to the ports, not from them, not as an answer to nothing."""
    mgmt = world.lab.mgmt
    assert not world.probe(camera, mgmt, family, {"to": (TCP, 554, False), "udp": (UDP, 5060, False),
                                                  "ping": (*echo(family), False)})
    source, to = camera.address(family), mgmt.address(family)
    frames = {f"flags{flags}": world.frame(camera, mgmt, family, TCP, packets.tcp(
        source, to, 554, 41000 + flags, flags=flags, payload=f"<flags{flags}>".encode()))
        for flags in (SYN, ACK, SYN | ACK, RST)}
    frames["from-udp"] = world.frame(camera, mgmt, family, UDP, packets.udp(source, to, 5060, 41001, b"<from-udp>"))
    reply = 0 if family == 4 else 129
    frames["echo-reply"] = world.frame(camera, mgmt, family, echo(family)[0],
                                       packets.icmp(source, to, kind=reply, ident=77, payload=b"<echo-reply>"))
    assert world.arrived(camera, mgmt, frames, set()) == set()


def test_an_open_flow_opens_that_flow_only(world, camera, family):
    """While mgmt talks to the camera: no other port of either end, and nobody else in its place."""
    lab = world.lab
    sensor = lab.of_kind("sensor")[0]
    sock = lab.mgmt.ns.socket(2 if family == 4 else 10, 2)
    with sock:
        sock.bind((lab.mgmt.address(family), 45060))
        assert udp_answers(lab.mgmt, camera.address(family), 5060, sock=sock, tag="open") == 4
        source, to = camera.address(family), lab.mgmt.address(family)

        def frame(name, sport, dport):
            return packets.udp(source, to, sport, dport, f"<{name}>".encode())
        from_camera = {name: world.frame(camera, lab.mgmt, family, UDP, frame(name, sport, dport))
                       for name, sport, dport in (("answer", 5060, 45060), ("port-of-device", 5061, 45060),
                                                  ("port-of-host", 5060, 45061))}
        assert world.arrived(camera, lab.mgmt, from_camera, {"answer"}) == {"answer"}
        for mac in (sensor.mac, camera.mac):
            forged = {"forged": world.frame(sensor, lab.mgmt, family, UDP, frame("forged", 5060, 45060),
                                            src=source, mac=mac)}
            assert world.arrived(sensor, lab.mgmt, forged, set()) == set(), mac


@pytest.mark.vm
def test_tightened(world, camera, family):
    """The open connection that is not allowed any more stops both ways; the other loses nothing."""
    mgmt = world.lab.mgmt
    cut = TcpFlow(mgmt, camera.address(family), 554, f"in-cut{family}")
    keep = world.flow(mgmt, camera, family, 5060, f"in-keep{family}")
    own = world.flow(camera, world.lab.server, family, 5000, f"in-own{family}")
    with world.steady(cut, keep, own, period=0.005) as steady, world.changed() as site:
        time.sleep(0.2)
        assert cut.answered
        site.words["camera"] = site.words["camera"].replace("tcp = 554;", "tcp = 555;")
        assert world.apply()["renewed"] == 2
        came, went = world.reflector.got(cut.tag).count, len(cut.answered)
        time.sleep(0.3)
        assert world.reflector.got(cut.tag).count == came
        assert len(cut.answered) <= went + 2        # what was on its way
        assert tcp_open(mgmt, camera.address(family), 554, timeout=0.2) is None
        steady.stop(0.3)
        assert keep.lost == 0 and keep.sent > 10
        assert own.lost == 0


def test_the_devices_side_of_a_tightened_connection(world, camera, family):
    """What the device goes on sending does not come out either."""
    mgmt = world.lab.mgmt
    sock = mgmt.ns.socket(2 if family == 4 else 10, 2)
    with sock, world.changed() as site:
        sock.bind((mgmt.address(family), 45061))
        assert udp_answers(mgmt, camera.address(family), 5060, sock=sock, tag="side") == 4
        still = {"still": world.frame(camera, mgmt, family, UDP, packets.udp(
            camera.address(family), mgmt.address(family), 5060, 45061, b"<still>"))}
        assert world.arrived(camera, mgmt, still, {"still"}) == {"still"}
        site.words["camera"] = f"inbound = ( {FROM_GATEWAY} );"
        world.apply()
        assert world.arrived(camera, mgmt, still, set()) == set()


@pytest.mark.vm
def test_quarantined(world, camera, family):
    mgmt = world.lab.mgmt
    other = world.lab.of_kind("camera")[1]
    cut = TcpFlow(mgmt, camera.address(family), 554, f"in-quarantine{family}")
    keep = TcpFlow(mgmt, other.address(family), 554, f"in-other{family}")
    with world.steady(cut, keep, period=0.005) as steady:
        time.sleep(0.2)
        assert cut.answered
        world.quarantine(camera)
        try:
            came = world.reflector.got(cut.tag).count
            went = len(cut.answered)
            time.sleep(0.3)
            assert world.reflector.got(cut.tag).count == came
            assert len(cut.answered) <= went + 2
            assert not world.probe(mgmt, camera, family, {"new": (TCP, 554, False), "ping": (*echo(family), False)})
        finally:
            world.release(camera)
        steady.stop(0.2)
        assert keep.lost == 0
    assert tcp_works(mgmt, camera.address(family), 554)


@pytest.mark.vm
def test_from_a_class(world, camera, family):
    """The other class may come, and only in that direction; it is judged at both ends."""
    gateway, sensor = world.lab.of_kind("gateway")[0], world.lab.of_kind("sensor")[0]
    assert tcp_works(gateway, camera.address(family), 8080)
    assert udp_answers(gateway, camera.address(family), 8080) == 4
    assert ping(gateway, camera.address(family)) == 3
    assert not world.probe(gateway, camera, family, {"other-port": (TCP, 554, False)})
    assert not world.probe(camera, gateway, family, {"back": (TCP, 8080, False), "back-udp": (UDP, 8080, False),
                                                     "back-ping": (*echo(family), False)})
    assert not world.probe(sensor, camera, family, {"other-class": (TCP, 8080, False)})
    assert not world.probe(world.lab.mgmt, camera, family, {"outside": (TCP, 8080, False)})
    for one in (gateway, camera):
        flow = world.flow(gateway, camera, family, 8080, f"peer-{one.name}-{family}")
        with world.steady(flow, period=0.005) as steady:
            time.sleep(0.1)
            assert flow.answered
            world.quarantine(one)
            try:
                came = world.reflector.got(flow.tag).count
                time.sleep(0.15)
                assert world.reflector.got(flow.tag).count == came
            finally:
                world.release(one)
            steady.stop(0)


def test_from_ranges_groups_and_its_own_class(world, camera, family):
    """Edges of a range and of a prefix, a group that names another, and cameras among themselves."""
    lab = world.lab
    with world.changed() as site:
        site.further = ('groups = ( { name = "inner"; to = ("192.0.2.2-192.0.2.3", "fd20::2-fd20::3"); },\n'
                        '           { name = "outer"; to = ("group:inner", "192.0.2.80/29", "fd20::80/125"); } );\n')
        site.words["camera"] = ('inbound = ( { from = "group:outer"; tcp = 554; }, '
                                '{ from = "class:camera"; udp = 5060; } );')
        world.apply()
        for host, passes in (("server", True), ("other", True), ("remedy", False), ("web", True), ("mgmt", False)):
            assert not world.probe(lab.hosts[host], camera, family, {f"from-{host}": (TCP, 554, passes)}), host
        assert not world.probe(lab.of_kind("camera")[1], camera, family,
                               {"own-class": (UDP, 5060, True), "own-tcp": (TCP, 554, False)})


def test_from_the_appliance(world, camera, family):
    """What the appliance itself sends is inbound as well, by its address."""
    router = type("Router", (), {"ns": world.lab.router})
    address = "192.0.2.1" if family == 4 else "fd20::1"
    assert udp_answers(router, camera.address(family), 5060, src=address, patience=0.2) == 0
    with world.changed() as site:
        site.words["camera"] = 'inbound = ( { from = ("192.0.2.1", "fd20::1"); udp = 5060; } );'
        world.apply()
        assert udp_answers(router, camera.address(family), 5060, src=address) == 4
        assert udp_answers(router, camera.address(family), 8080, src=address, patience=0.2) == 0
        # the answers' way opens no service of the appliance
        source, to = camera.address(family), address
        sock = world.lab.router.socket(2 if family == 4 else 10, 2)
        with sock:
            sock.bind((address, 45062))
            sock.settimeout(0.2)
            world.send_frames(camera, world.frame(camera, camera, family, UDP,
                                                  packets.udp(source, to, 5060, 45062, b"unasked"), dst=to))
            with pytest.raises(OSError):
                sock.recv(100)


def test_audit_lets_in_and_records(world, camera, family):
    with world.changed() as site:
        site.modes["camera"] = "audit"
        world.apply()
        assert tcp_works(world.lab.other, camera.address(family), 22)
        row = world.wait_attempts(device=camera.name, source=world.lab.other.address(family), port=22)[0]
        assert (row["verdict"], row["reason"]) == ("audited", "inbound")
    assert tcp_open(world.lab.other, camera.address(family), 22, timeout=0.2) is None


# ---- what is said of it ----------------------------------------------------------------------

def explain(world, *argv):
    done = world.cordon.try_ctl("policy", "explain", *argv, "--json")
    assert done.returncode in (0, 2), done.stderr
    said = json.loads(done.stdout)
    assert (said["verdict"] == "allowed") == (done.returncode == 0)
    return said["verdict"], [(r["class"], r["where"]["file"], r["where"]["line"]) for r in said["rules"] if r["open"]]


def test_explained_and_shown(world, camera, family):
    """As packets saw it above, and by the line that says so: that of the class that is reached."""
    lab = world.lab
    gateway = lab.of_kind("gateway")[0]
    line = [("camera", "classes.d/camera.conf", 2)]
    device = ("--device", camera.name)
    assert explain(world, *device, "--from", lab.mgmt.address(family), "--tcp", "554") == ("allowed", line)
    assert explain(world, *device, "--from", lab.mgmt.address(family), "--tcp", "555") == ("refused", [])
    assert explain(world, *device, "--from", lab.other.address(family), "--tcp", "554") == ("refused", [])
    assert explain(world, *device, "--to", lab.mgmt.address(family), "--tcp", "554") == ("refused", [])
    verdict, lines = explain(world, "--device", gateway.name, "--to", camera.address(family), "--tcp", "8080")
    assert (verdict, [at[1:] for at in lines]) == ("allowed", [at[1:] for at in line])
    assert explain(world, *device, "--to", gateway.address(family), "--tcp", "8080") == ("refused", [])
    for shown in (world.cordon.device(camera.name), world.cordon.ask("class", "show", "camera")):
        said = {rule["from"]: set(rule["services"]) for rule in shown["inbound"]}
        assert set(said) == {"192.0.2.10", "fd20::10", "class:gateway"}
        assert said["class:gateway"] >= {"tcp 8080", "udp 8080"}
        assert {rule["to"] for rule in shown["allow"]} == {"192.0.2.2", "fd20::2"}
