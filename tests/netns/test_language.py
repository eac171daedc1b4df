# SPDX-License-Identifier: GPL-2.0-or-later
"""What a class can say of protocols, services, groups and other classes; and that what is said
of it (explain, show, print) is what packets see."""
import json
import os
import shutil
import struct

import pytest

from lab import packets
from lab.cordon import Failed
from lab.packets import ESP, GRE, ICMP, ICMP6, IGMP, SCTP, TCP, UDP
from lab.traffic import udp_answers

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
OTHER = '("192.0.2.3", "fd20::3")'
SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
DCCP, UDPLITE, AH, VRRP = 33, 136, 51, 112


@pytest.fixture(scope="module")
def world(make_world):
    made = make_world(kinds=(("sensor", 2), ("camera", 1), ("gateway", 1)), start=False)
    rules = [f'{{ to = {SERVER}; udp = 5000; }}']
    made.site.classes = {kind: list(rules) for kind in ("sensor", "camera", "gateway")}
    made.site.write()
    made.start()
    return made


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


def explained(world, device, to, *service):
    """verdict and the lines that are named, by `policy explain`."""
    done = world.cordon.try_ctl("policy", "explain", "--device", device.name, "--to", to, *map(str, service), "--json")
    assert done.returncode in (0, 2), done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (said["verdict"] == "allowed") == (done.returncode == 0)
    return said


# ---- protocols -------------------------------------------------------------------------

@pytest.mark.vm
def test_sctp_and_its_like(world, sensor, family):
    """By port, as tcp and udp; the answer comes back, the neighbour port does not."""
    server = world.lab.server
    with world.changed() as site:
        site.classes["sensor"] = [f'{{ to = {SERVER}; sctp = (36412, "5000-5002"); dccp = 7000; udplite = 7001; }}']
        world.apply()
        assert not world.probe(sensor, server, family, {
            "named": (SCTP, 36412, True), "range": (SCTP, 5002, True), "above": (SCTP, 36413, False),
            "beyond": (SCTP, 5003, False), "tcp": (TCP, 36412, False), "udp": (UDP, 5001, False)})
        for proto, port in ((DCCP, 7000), (UDPLITE, 7001)):
            for at in (port, port + 1, port - 1):
                got = world.arrived(sensor, server, rare(world, sensor, server, family, proto, at),
                                    {"it"} if at == port else set())
                assert bool(got) == (at == port), (proto, at)
        to = server.address(family)
        asked = {"init": world.frame(sensor, server, family, SCTP, packets.sctp(41000, 36412, b"<init>", init_tag=99))}
        assert world.arrived(sensor, server, asked, {"init"}) == {"init"}
        answers = {name: world.frame(server, sensor, family, SCTP, packets.sctp(
            sport, 41000, f"<{name}>".encode(), kind=2, vtag=99))
            for name, sport in (("ack", 36412), ("other-port", 36411))}
        assert world.arrived(server, sensor, answers, {"ack"}) == {"ack"}
        assert explained(world, sensor, to, "--sctp", 36412)["verdict"] == "allowed"
        assert explained(world, sensor, to, "--sctp", 36413)["verdict"] == "refused"


def rare(world, sender, receiver, family, proto, port):
    """A request of DCCP (RFC 4340 5.1) or a datagram of UDP-Lite (RFC 3828 3.1). Linux's conntrack
    sums UDP-Lite with UDP's number, so there is one that is right and one that Linux takes for right."""
    source, to = (packets.ipaddress.ip_address(h.address(family)) for h in (sender, receiver))
    data = struct.pack("!HH", 40000, port)
    if proto == UDPLITE:
        data += struct.pack("!HH", 0, 0)
    else:   # 5 words, type 0 with long numbers, a sequence number and a service code
        data += struct.pack("!BBHBBHII", 5, 0, 0, 1, 0, 0, 1, 7)
    frames = {}
    for name, number in (("it", UDP if proto == UDPLITE else proto), ("right", proto)):
        whole = data + f"<{name}>".encode()
        csum = packets.checksum(packets.pseudo_header(source, to, number, len(whole)) + whole) or 0xffff
        frames[name] = world.frame(sender, receiver, family, proto, whole[:6] + struct.pack("!H", csum) + whole[8:])
    return frames


@pytest.mark.vm
def test_protocols_by_name_and_by_number(world, sensor, family):
    with world.changed() as site:
        site.classes["sensor"] = [f'{{ to = {SERVER}; protocol = ("gre", "IGMP", 50); }}',
                                  f'{{ to = {OTHER}; protocol = "udp"; }}']
        world.apply()
        assert not world.probe(sensor, world.lab.server, family, {
            "gre": (GRE, 0, True), "igmp": (IGMP, 0, True), "esp": (ESP, 0, True),
            "vrrp": (VRRP, 0, False), "ipip": (4 if family == 4 else 41, 0, False), "etherip": (97, 0, False),
            "tcp": (TCP, 47, False), "udp": (UDP, 50, False)})
        # a whole protocol with ports: all of them, and no other one
        assert not world.probe(sensor, world.lab.other, family, {
            "low": (UDP, 1, True), "high": (UDP, 65535, True), "not-tcp": (TCP, 1, False), "not-gre": (GRE, 0, False)})
        back = {"back": world.frame(world.lab.server, sensor, family, GRE, packets.gre(b"<back>"))}
        assert world.arrived(world.lab.server, sensor, back, {"back"}) == {"back"}
        unasked = {"unasked": world.frame(world.lab.other, sensor, family, GRE, packets.gre(b"<unasked>"))}
        assert world.arrived(world.lab.other, sensor, unasked, set()) == set()
        to = world.lab.server.address(family)
        assert explained(world, sensor, to, "--protocol", "esp")["verdict"] == "allowed"
        assert explained(world, sensor, to, "--protocol", VRRP)["verdict"] == "refused"


def test_any(world, sensor, family):
    """Everything, to that destination and no other."""
    kind = (ICMP, 8) if family == 4 else (ICMP6, 128)
    with world.changed() as site:
        site.classes["sensor"] = [f'{{ to = {SERVER}; any = true; }}']
        world.apply()
        for host, passes in ((world.lab.server, True), (world.lab.other, False)):
            assert not world.probe(sensor, host, family, {
                "tcp": (TCP, 1, passes), "udp": (UDP, 65535, passes), "icmp": (*kind, passes), "gre": (GRE, 0, passes),
                "sctp": (SCTP, 9, passes), "unknown": (200, 0, passes)})


@pytest.mark.vm
def test_icmp_by_type(world, sensor, family):
    """What is named passes, and its answer; the neighbour type does not. Each family its own."""
    server = world.lab.server
    proto = ICMP if family == 4 else ICMP6
    asks, answers, other = (13, 14, 8) if family == 4 else (139, 140, 128)
    with world.changed() as site:
        site.classes["sensor"] = [f'{{ to = {SERVER}; icmp = "timestamp-request"; icmpv6 = 139; }}',
                                  f'{{ to = {OTHER}; icmp = "echo-request"; icmpv6 = "echo-request"; }}']
        world.apply()
        assert not world.probe(sensor, server, family, {
            "named": (proto, asks, True), "other": (proto, other, False),
            "mask": (proto, 17 if family == 4 else 143, False)})
        assert not world.probe(sensor, world.lab.other, family, {
            "named2": (proto, other, True), "other2": (proto, asks, False)})
        # the answer to what was asked, and no more
        ask = {"ask": world.frame(sensor, server, family, proto, packets.icmp(
            sensor.address(family), server.address(family), kind=asks, ident=31000 + family, payload=b"<ask>"))}
        assert world.arrived(sensor, server, ask, {"ask"}) == {"ask"}
        for kind, passes in ((answers, {"answer"}), (0 if family == 4 else 129, set())):
            frame = {"answer": world.frame(server, sensor, family, proto, packets.icmp(
                server.address(family), sensor.address(family), kind=kind, ident=31000 + family, payload=b"<answer>"))}
            assert world.arrived(server, sensor, frame, passes) == passes, kind
        to = server.address(family)
        assert explained(world, sensor, to, "--icmp", asks)["verdict"] == "allowed"
        assert explained(world, sensor, to, "--icmp", other)["verdict"] == "refused"


# ---- names -----------------------------------------------------------------------------

NAMED = """services = (
  { name = "mqtt"; tcp = (1883, "8883-8885"); },
  { name = "mixed"; udp = 6000; sctp = 6000; icmp = 8; icmpv6 = 128; protocol = "gre"; } );
groups = (
  { name = "near"; to = ("192.0.2.2", "fd20::2"); },
  { name = "far"; to = ("group:near", "192.0.2.4-192.0.2.5", "fd20::4-fd20::5", "class:gateway"); } );
"""
WRITTEN_OUT = ['{ to = ("192.0.2.2", "fd20::2", "192.0.2.4-192.0.2.5", "fd20::4-fd20::5", "class:gateway");'
               '  tcp = (1883, "8883-8885"); udp = (6000, 7000); sctp = 6000; icmp = 8; icmpv6 = 128; protocol = 47; }']
BY_NAME = ['{ to = "group:far"; service = [ "mqtt", "mixed" ]; udp = 7000; }']


def probes_of(family):
    echo = (ICMP, 8) if family == 4 else (ICMP6, 128)
    return {"1883": (TCP, 1883, True), "8882": (TCP, 8882, False), "8883": (TCP, 8883, True), "8885": (TCP, 8885, True),
            "8886": (TCP, 8886, False), "udp6000": (UDP, 6000, True), "udp7000": (UDP, 7000, True),
            "udp5000": (UDP, 5000, False), "sctp": (SCTP, 6000, True), "sctp1": (SCTP, 6001, False),
            "echo": (*echo, True), "gre": (GRE, 0, True), "esp": (ESP, 0, False)}


def test_services_and_groups_are_what_they_stand_for(world, sensor, family):
    """By name and written out: the same packets pass, and the kernel needs not one element changed."""
    lab = world.lab
    with world.changed() as site:
        site.further = NAMED
        site.classes["sensor"] = BY_NAME
        world.apply()
        for host, passes in ((lab.server, True), (lab.remedy, True), (lab.of_kind("gateway")[0], True),
                             (lab.other, False)):
            probes = {name: (proto, at, ok and passes) for name, (proto, at, ok) in probes_of(family).items()}
            assert not world.probe(sensor, host, family, probes), host
        site.classes["sensor"] = WRITTEN_OUT
        done = world.apply()
        assert (done["added"], done["removed"], done["renewed"]) == (0, 0, 0)
        # a group that loses an address: its flows stop, though no class changed its text
        site.classes["sensor"] = BY_NAME
        site.further = NAMED.replace('"group:near", ', "")
        world.apply()
        assert not world.probe(sensor, lab.server, family, {"gone": (TCP, 1883, False)})
        assert not world.probe(sensor, lab.remedy, family, {"there": (TCP, 1883, True)})


def test_a_class_has_what_it_extends(world, sensor, family):
    """Rules of all bases, out and in; mode, refuse and rate of the first that says it."""
    lab = world.lab
    with world.changed() as site:
        site.classes.update({"base": [f'{{ to = {SERVER}; tcp = 7001; }}'], "second": [f'{{ to = {SERVER}; tcp = 7002; }}'],
                             "sensor": [f'{{ to = {SERVER}; tcp = 7003; }}'], "camera": [f'{{ to = {SERVER}; tcp = 7004; }}']})
        site.words.update({"base": 'refuse = "reject"; rate = 300; inbound = ( { from = ("192.0.2.10", "fd20::10"); tcp = 7005; } );',
                           "second": 'refuse = "drop"; rate = 400;',
                           "sensor": 'extends = [ "base", "second" ];',
                           "camera": 'extends = "sensor"; refuse = "drop"; rate = "unlimited";'})
        world.apply()
        camera = lab.of_kind("camera")[0]
        for device, own in ((sensor, 7003), (camera, 7004)):
            assert not world.probe(device, lab.server, family, {
                f"{port}": (TCP, port, port in (7001, 7002, 7003, own)) for port in range(7000, 7006)}), device.name
            assert not world.probe(lab.mgmt, device, family, {"in": (TCP, 7005, True), "in-not": (TCP, 7001, False)})
        shown = {kind: world.cordon.ask("class", "show", kind) for kind in ("sensor", "camera")}
        assert (shown["sensor"]["refuse"], shown["sensor"]["rate"]) == ("reject", {"per_second": 300, "burst": 300})
        assert (shown["camera"]["refuse"], shown["camera"]["rate"]) == ("drop", None)
        lines = {(rule["where"]["file"], service) for rule in shown["camera"]["allow"] for service in rule["services"]}
        assert lines == {(f"classes.d/{name}.conf", f"tcp {port}") for name, port in (
            ("base", 7001), ("second", 7002), ("sensor", 7003), ("camera", 7004))}
        assert {rule["where"]["file"] for rule in shown["camera"]["inbound"]} == {"classes.d/base.conf"}
        # the change of a base is a change of all that extend it
        flow = world.flow(camera, lab.server, family, 5000, f"extends{family}")
        site.classes["base"] = [f'{{ to = {SERVER}; tcp = 7000; udp = 5000; }}']
        site.words["base"] = site.words["base"].replace("7005", "7006")
        world.apply()
        with world.steady(flow, period=0.005) as steady:
            assert not world.probe(camera, lab.server, family, {"old": (TCP, 7001, False), "new": (TCP, 7000, True)})
            assert not world.probe(lab.mgmt, camera, family, {"in-old": (TCP, 7005, False), "in-new": (TCP, 7006, True)})
            steady.stop()
            assert flow.lost == 0
            site.classes["base"] = ['{ to = "192.0.2.99"; tcp = 1; }']
        with world.steady(world.flow(camera, lab.server, family, 5000, f"extends-cut{family}")) as steady:
            world.apply()
            came = world.reflector.got(f"extends-cut{family}").count
            assert not world.probe(camera, lab.server, family, {"cut": (UDP, 5000, False)})
            assert world.reflector.got(f"extends-cut{family}").count == came


def test_host_names_stay_closed(world, sensor, family):
    """The line is understood, warned of and explained; nothing passes by it."""
    with world.changed() as site:
        site.classes["sensor"] = ['{ to = "*.iot.example.com"; any = true; }', '{ to = "server.example"; udp = 5000; }']
        world.site.write()
        done = world.cordon.try_ctl("policy", "check")
        assert done.returncode == 0
        for line, name in ((4, "*.iot.example.com"), (5, "server.example")):
            assert f'classes.d/sensor.conf:{line}: warning: destination "{name}" stays closed' in done.stdout + done.stderr
        world.apply()
        for host in (world.lab.server, world.lab.other):
            assert not world.probe(sensor, host, family, {"udp": (UDP, 5000, False), "tcp": (TCP, 443, False)})
        said = explained(world, sensor, "a.iot.example.com", "--tcp", 443)
        assert said["verdict"] == "refused"
        assert [rule["line"] for rule in said["named_by"]] == [4], said


def test_labels(world):
    sensors, camera = world.lab.of_kind("sensor"), world.lab.of_kind("camera")[0]
    with world.changed() as site:
        site.labels = {sensors[0].name: ["hall-3", "batch_7"], sensors[1].name: ["hall-3"], camera.name: ["hall-4"]}
        done = world.apply()
        assert done["renewed"] == 0         # to the kernel nothing changed

        def labelled(*argv):
            listed = world.cordon.ask("device", "list", *argv)["devices"]
            return {d["name"]: d["labels"] for d in listed}
        assert labelled("--label", "hall-3") == {sensors[0].name: ["hall-3", "batch_7"], sensors[1].name: ["hall-3"]}
        assert set(labelled("--label", "hall-3", "--label", "batch_7")) == {sensors[0].name}
        assert set(labelled("--label", "hall-4", "--class", "camera")) == {camera.name}
        assert labelled("--label", "hall") == {}
        assert world.cordon.device(sensors[0].name)["labels"] == ["hall-3", "batch_7"]
        with pytest.raises(Failed):
            site.labels = {camera.name: ["two words"]}
            world.apply()


# ---- what is said of it -------------------------------------------------------------------

def test_print_is_the_policy(world, tmp_path):
    """What `policy print` prints, read again, is not one element away."""
    with world.changed() as site:
        site.further = NAMED
        site.classes["sensor"] = BY_NAME
        site.words["sensor"] = 'refuse = "reject"; rate = 7; inbound = ( { from = "group:near"; service = "mixed"; } );'
        world.apply()
        text = world.cordon.ask("policy", "print")["text"]
        os.chmod(tmp_path, 0o755)
        with open(tmp_path / "cordon.conf", "w", encoding="utf-8") as f:
            f.write(text)
        shutil.copytree(os.path.join(world.cordon.etc, "pki"), tmp_path / "pki")
        said = world.cordon.ask("policy", "diff", str(tmp_path))
        assert said["sets"] == [] and (said["added"], said["removed"], said["renewed"]) == (0, 0, 0), said["changes"]


def test_the_example_of_everything(make_world):
    """It is applied to a real kernel, which then holds what the policy says."""
    world = make_world(kinds=[("sensor", 1)], start=False)
    shutil.rmtree(world.cordon.etc)
    shutil.copytree(os.path.join(SOURCE, "conf/examples/everything"), world.cordon.etc)
    os.chmod(world.cordon.etc, 0o755)
    world.cordon.start()
    done = world.cordon.apply()
    assert done["applied"] and done["devices"] >= 9 and done["classes"] >= 6, done
    assert world.cordon.ask("policy", "verify")["agrees"]
    assert world.status()["devices"] == done["devices"]
    again = world.cordon.apply()
    assert (again["added"], again["removed"], again["renewed"]) == (0, 0, 0)
    names = {kind: {item[kind]["name"] for item in world.cordon.table() if kind in item}
             for kind in ("set", "map", "chain")}
    for name in ("windows_1", "rate", "identity6_net_port", "live_routed"):
        assert name in names["set"] | names["map"], sorted(names["set"] | names["map"])
    printed = world.cordon.ctl("policy", "print", "--nft")
    checked = world.lab.mgmt.ns.run(["nft", "-c", "-f", "-"], input=printed, check=False)
    assert checked.returncode == 0, checked.stderr


def test_remediation_by_name(world, sensor, family):
    """Groups and services count in the quarantine's list, too."""
    assert udp_answers(sensor, world.lab.server.address(family), 5000) == 4
    keep = list(world.site.quarantine)
    try:
        with world.changed() as site:
            site.further = NAMED
            site.quarantine[:] = ['{ to = "group:near"; service = "mqtt"; }']
            world.apply()
            world.quarantine(sensor)
            try:
                assert not world.probe(sensor, world.lab.server, family, {
                    "mqtt": (TCP, 8884, True), "not": (TCP, 8886, False), "own": (UDP, 5000, False)})
            finally:
                world.release(sensor)
            site.quarantine[:] = keep
    finally:
        world.site.quarantine[:] = keep
