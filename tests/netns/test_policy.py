# SPDX-License-Identifier: GPL-2.0-or-later
"""What a class allows passes, everything else does not, and changes lose nothing."""
import subprocess
import time

import pytest

from lab import packets
from lab.cordon import Failed
from lab.topology import wait_for
from lab.traffic import TcpFlow, ping, tcp_open, tcp_works, udp_answers


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


@pytest.fixture
def gateway(world):
    return world.lab.of_kind("gateway")[0]


# ---- allowed and refused ---------------------------------------------------------

@pytest.mark.vm
def test_allowed_connections_pass(world, family):
    server = world.lab.server
    for device in world.lab.of_kind("sensor"):
        assert tcp_works(device, server.address(family), 8883), device.name
        assert world.delivered(device, server, family, 5000) == 4, device.name
        assert ping(device, server.address(family)) == 3, device.name
    for device in world.lab.of_kind("camera"):
        assert tcp_works(device, server.address(family), 554), device.name


@pytest.mark.vm
def test_outside_the_class_is_refused(world, sensor, family):
    lab = world.lab
    assert world.refused(sensor, lab.other, family, 5000, tag="host")
    assert world.refused(sensor, lab.server, family, 123, tag="port")
    assert tcp_open(sensor, lab.server.address(family), 22, timeout=0.4) is None
    assert tcp_open(sensor, lab.server.address(family), 5000, timeout=0.4) is None
    assert ping(sensor, lab.other.address(family)) == 0


def test_classes_differ(world, family):
    camera, sensor = world.lab.of_kind("camera")[0], world.lab.of_kind("sensor")[0]
    assert tcp_open(camera, world.lab.server.address(family), 8883, timeout=0.4) is None
    assert tcp_open(sensor, world.lab.server.address(family), 554, timeout=0.4) is None
    assert ping(camera, world.lab.server.address(family)) == 0


@pytest.mark.parametrize("port,allowed", [(5003, False), (5004, True), (5010, True), (5011, False)])
def test_edges_of_a_port_range(world, sensor, family, port, allowed):
    tag = f"edge{port}"
    frames = world.forged(sensor, world.lab.server.address(family), port=port, tag=tag.encode())
    with world.arrivals(world.lab.server, tag.encode()) as got:
        world.send_frames(sensor, *frames)
        assert got(4) >= 4 if allowed else got() == 0


@pytest.mark.parametrize("last,allowed", [(2, True), (15, True), (16, False)])
def test_edges_of_a_prefix(world, gateway, family, last, allowed):
    """192.0.2.0/28 and fd20::/124 hold .2 to .15; the router is .1, which is not forwarded to."""
    dst = f"192.0.2.{last}" if family == 4 else f"fd20::{last:x}"
    tag = f"prefix{last}".encode()
    neighbour = world.lab.server
    world.lab.router.ip(f"neigh replace {dst} lladdr {neighbour.mac} dev out0 nud permanent")
    try:
        with world.arrivals(neighbour, tag) as got:
            world.send_frames(gateway, *world.forged(gateway, dst, port=5000, tag=tag))
            assert got(4) >= 4 if allowed else got() == 0
    finally:
        world.lab.router.ip(f"neigh del {dst} dev out0")


def test_nobody_reaches_a_device(world, sensor, family):
    """No class names inbound connections: servers, operators and other hosts get nowhere."""
    for host in (world.lab.server, world.lab.mgmt):
        with world.arrivals(sensor, b"inbound") as got:
            udp_answers(host, sensor.address(family), 5000, n=4, tag="inbound", patience=0.1)
            assert got() == 0
        assert tcp_open(host, sensor.address(family), 22, timeout=0.3) is None


def test_answers_do_not_open_the_way(world, sensor, family):
    """A server that was spoken to may answer, and only on that flow."""
    server = world.lab.server
    assert world.delivered(sensor, server, family, 5000, sport=41000) == 4
    with world.arrivals(sensor, b"unasked") as got:
        udp_answers(server, sensor.address(family), 41001, n=4, tag="unasked", patience=0.1)
        assert got() == 0


def test_not_a_device_network_is_not_forwarded(world):
    """Between interfaces that are no device's nothing is forwarded by accident."""
    assert ping(world.lab.mgmt, "192.0.2.1") == 3      # the router itself is reachable
    before = world.cordon.table()
    assert before is not None


# ---- device to device -------------------------------------------------------------

def test_device_to_device_as_the_class_says(world, sensor, gateway, family):
    assert tcp_works(sensor, gateway.address(family), 1883)
    assert udp_answers(sensor, gateway.address(family), 1883, n=4) == 4


def test_device_to_device_otherwise_refused(world, sensor, gateway, family):
    sensors = world.lab.of_kind("sensor")
    assert tcp_open(sensor, gateway.address(family), 22, timeout=0.3) is None
    for a, b, port in ((gateway, sensor, 1883), (sensors[0], sensors[1], 1883), (sensors[0], sensors[1], 5000)):
        with world.arrivals(b, b"lateral") as got:
            udp_answers(a, b.address(family), port, n=4, tag="lateral", patience=0.1)
            assert got() == 0, (a.name, b.name)


# ---- the appliance's own services --------------------------------------------------

def test_services(world, sensor, family):
    """A device reaches only the services that are named: echo is, tcp 22 is not."""
    gateway = world.lab.router
    address = "192.0.2.1" if family == 4 else "fd20::1"
    assert ping(sensor, address) == 3
    listener = world.lab.mgmt       # any host may, it is no device
    ssh = gateway.socket(*(2, 1) if family == 4 else (10, 1))
    with ssh:
        ssh.bind((address, 2222))
        ssh.listen(8)
        assert tcp_open(sensor, address, 2222, timeout=0.3) is None
        s = tcp_open(listener, address, 2222)
        assert s is not None
        s.close()


def test_router_does_not_speak_to_devices_unasked(world, sensor, family):
    with world.arrivals(sensor, b"router") as got:
        router = type("R", (), {"ns": world.lab.router})
        udp_answers(router, sensor.address(family), 5000, n=4, tag="router", patience=0.1)
        assert got() == 0


# ---- changes -------------------------------------------------------------------------

def test_apply_without_a_change_changes_nothing(world):
    done = world.cordon.apply()
    assert (done["added"], done["removed"], done["renewed"]) == (0, 0, 0)


@pytest.mark.vm
def test_tightened_class(world, sensor, family):
    """The open flow that is no longer allowed stops; the others lose nothing, both ways."""
    server = world.lab.server
    keep = world.flow(sensor, server, family, 5000, "keep")
    cut = world.flow(sensor, server, family, 5004, "cut")
    camera = world.lab.of_kind("camera")[0]
    other = world.flow(camera, server, family, 5000, "camera")
    with world.steady(keep, cut, other, period=0.005) as steady, world.changed() as site:
        time.sleep(0.3)
        assert cut.answered
        site.classes["sensor"] = [r.replace('udp = (5000, "5004-5010")', "udp = 5000")
                                  for r in site.classes["sensor"]]
        world.apply()
        arrived = world.reflector.got("cut").count
        time.sleep(0.4)
        assert world.reflector.got("cut").count == arrived
        steady.stop()
        assert keep.lost == 0 and keep.sent > 20
        assert other.lost == 0
        assert cut.lost > 20


def test_tightened_tcp(world, sensor, family):
    """The same for open TCP connections."""
    keep = TcpFlow(sensor, world.lab.server.address(family), 8883, "tcpkeep")
    with world.steady(keep) as steady, world.changed() as site:
        time.sleep(0.2)
        site.classes["sensor"] = [r.replace("udp = (5000, \"5004-5010\")", "udp = 5000")
                                  for r in site.classes["sensor"]]
        world.apply()
        time.sleep(0.3)
        steady.stop()
        assert keep.lost == 0 and keep.unsent == 0 and keep.sent > 20


def test_tightened_at_that_very_moment(world):
    """A packet that is judged while the transaction comes into force may be let through by what goes,
    but its flow does not stay. Seen in one round of thirty when nothing is done about it."""
    camera, server = world.lab.of_kind("camera")[0], world.lab.server
    last = '{ to = "192.0.2.99"; tcp = 1; }'
    for i in range(12):
        with world.changed() as site:
            flows = [world.flow(camera, server, 4 + n % 2 * 2, 5000, f"moment{i}.{n}") for n in range(16)]
            with world.steady(*flows, period=0.001) as steady:
                wait_for("answers", lambda: all(flow.answered for flow in flows))
                site.classes["camera"] = [last]
                world.apply()
                came = [world.reflector.got(flow.tag).count for flow in flows]
                time.sleep(0.06)
                more = [world.reflector.got(flow.tag).count for flow in flows]
                steady.stop(0)
        # what the server's socket held when the answer came may still be counted
        assert not [(a, b) for a, b in zip(came, more) if b > a + 4], i


def test_widened_class(world, sensor, family):
    server = world.lab.server
    assert world.refused(sensor, server, family, 123)
    flow = world.flow(sensor, server, family, 5000, "wide")
    with world.steady(flow) as steady, world.changed() as site:
        site.classes["sensor"] = site.classes["sensor"] + ['{ to = ("192.0.2.2", "fd20::2"); udp = 123; }']
        done = world.apply()
        assert done["added"] > 0
        assert world.delivered(sensor, server, family, 123) == 4
        steady.stop()
        assert flow.lost == 0
    assert world.refused(sensor, server, family, 123, tag="narrow")


def test_device_removed_and_added(world, family):
    lab = world.lab
    gone = lab.of_kind("camera")[1]
    with world.changed() as site:
        site.devices = [d for d in site.devices if d is not gone]
        world.apply()
        assert tcp_open(gone, lab.server.address(family), 554, timeout=0.3) is None
        assert tcp_works(lab.of_kind("camera")[0], lab.server.address(family), 554)
    assert tcp_works(gone, lab.server.address(family), 554)


def test_device_changes_class(world, family):
    lab = world.lab
    camera = lab.of_kind("camera")[1]
    open_flow = world.flow(camera, lab.server, family, 5001, "moved")
    with world.steady(open_flow) as steady, world.changed() as site:
        time.sleep(0.2)
        assert open_flow.answered
        camera.kind = "sensor"
        try:
            site.devices = list(site.devices)
            world.apply()
            assert tcp_works(camera, lab.server.address(family), 8883)
            assert tcp_open(camera, lab.server.address(family), 554, timeout=0.3) is None
            count = world.reflector.got("moved").count
            time.sleep(0.2)
            assert world.reflector.got("moved").count == count
        finally:
            camera.kind = "camera"
        steady.stop(0)


def test_many_tightenings_lose_nothing(world, sensor, family):
    """A class that changes to and fro under traffic: what stays allowed stays whole."""
    flow = world.flow(sensor, world.lab.server, family, 5000, "often")
    narrow = [r.replace("udp = (5000, \"5004-5010\")", "udp = 5000") for r in world.site.classes["sensor"]]
    wide = list(world.site.classes["sensor"])
    with world.steady(flow, period=0.001) as steady, world.changed() as site:
        for i in range(10):
            site.classes["sensor"] = narrow if i % 2 == 0 else wide
            world.apply()
        wait_for("enough packets", lambda: flow.sent > 100)
        steady.stop()
        assert flow.lost == 0


# ---- words of the configuration -------------------------------------------------------

WORDS = [
    ('{ to = "192.0.2.2-192.0.2.3"; any = true; }', "other", 4, 5000, True),
    ('{ to = "192.0.2.0/24"; udp = "123-5000"; }', "other", 4, 123, True),
    ('{ to = "192.0.2.0/24"; udp = "123-5000"; }', "other", 4, 5004, False),
    ('{ to = "fd20::/64"; udp = 123; }', "other", 6, 123, True),
    ('{ to = "fd20::2-fd20::3"; udp = 123; }', "other", 6, 5000, False),
]


@pytest.mark.parametrize("rule,host,fam,port,allowed", WORDS)
def test_destinations(world, sensor, rule, host, fam, port, allowed):
    with world.changed() as site:
        site.classes["sensor"] = [rule]
        world.apply()
        target = world.lab.hosts[host]
        if allowed:
            assert world.delivered(sensor, target, fam, port) == 4
        else:
            assert world.refused(sensor, target, fam, port)


def test_overlapping_rules_mean_their_union(world, sensor, family):
    """Wide and narrow, in either order (kernel sets refuse overlaps, the compiler must not make them)."""
    wide, narrow = ('"192.0.2.0/24"', '"192.0.2.2"') if family == 4 else ('"fd20::/64"', '"fd20::2"')
    rules = [f'{{ to = {narrow}; udp = "80-90"; }}', f'{{ to = {wide}; udp = "85-130"; }}',
             f'{{ to = {narrow}; udp = "4000-5000"; }}']
    for order in (rules, rules[::-1]):
        with world.changed() as site:
            site.classes["sensor"] = order
            world.apply()
            assert world.delivered(sensor, world.lab.server, family, 123) == 4
            assert world.delivered(sensor, world.lab.other, family, 123) == 4
            assert world.delivered(sensor, world.lab.server, family, 5000) == 4
            assert world.refused(sensor, world.lab.other, family, 5000)


def test_nothing_is_allowed_when_it_says_so(world, sensor, family):
    with world.changed() as site:
        site.classes["sensor"] = []
        world.apply()
        assert world.refused(sensor, world.lab.server, family, 5000)
        assert ping(sensor, world.lab.server.address(family)) == 0


def test_an_empty_list_is_a_mistake(world):
    path = f"{world.cordon.etc}/classes.d/camera.conf"
    try:
        with open(path, "w", encoding="ascii") as f:
            f.write('classes = ( { name = "camera"; mode = "enforce"; allow = (); } );\n')
        with pytest.raises(Failed) as failed:
            world.cordon.ctl("policy", "check")
        assert failed.value.code == 1
        assert "camera.conf:1" in failed.value.output
    finally:
        world.site.write()
    world.cordon.ctl("policy", "check")


def test_mistakes_are_all_told_and_the_policy_stays(world, sensor, family):
    flow = world.flow(sensor, world.lab.server, family, 5000, "mistake")
    revision = world.status()["revision"]
    with world.steady(flow) as steady:
        try:
            world.site.classes["camera"] += ['{ to = "192.0.2.300"; tcp = 1; }', '{ to = "192.0.2.2"; tcp = 70000; }',
                                             '{ to = "class:nobody"; tcp = 1; }']
            world.site.write()
            with pytest.raises(Failed) as failed:
                world.cordon.ctl("policy", "apply")
            assert failed.value.code == 1
            told = [line for line in failed.value.output.splitlines() if "camera.conf:" in line]
            assert len(told) >= 2, failed.value.output
        finally:
            del world.site.classes["camera"][-3:]
            world.site.write()
        steady.stop()
        assert flow.lost == 0
    assert world.status()["revision"] == revision
    assert tcp_works(world.lab.of_kind("camera")[0], world.lab.server.address(family), 554)


def test_printed_rules_are_what_nft_takes(world):
    text = world.cordon.ctl("policy", "print", "--nft")
    done = world.lab.mgmt.ns.run(["nft", "-c", "-f", "-"], input=text, check=False)
    assert done.returncode == 0, done.stderr


# ---- audit ---------------------------------------------------------------------------------

def test_audit_lets_through_and_records(world, sensor, family):
    with world.changed() as site:
        site.modes["sensor"] = "audit"
        world.apply()
        assert world.delivered(sensor, world.lab.other, family, 123) == 4
        assert world.station(sensor) == "audited"
        world.wait_attempts(device=sensor.name, destination=world.lab.other.address(family), port=123,
                            verdict="audited")
    assert world.refused(sensor, world.lab.other, family, 123)


# ---- ways round ----------------------------------------------------------------------------

def test_foreign_accept_does_not_bypass(world, sensor, family):
    """Somebody else's `established accept` at an earlier priority ends only its own chain."""
    world.lab.router.nft("table inet other {\nchain c {\ntype filter hook forward priority -100; policy accept;\n"
                         "accept\n}\n}\n")
    try:
        assert world.refused(sensor, world.lab.other, family, 5000)
    finally:
        world.lab.router.nft("delete table inet other")


def test_untracked_and_marked_packets_fail_closed(world, sensor, family):
    """notrack, and a foreign conntrack mark: no way in."""
    server = world.lab.server
    # a mark that is nobody's, and one that looks like a live one
    mark = world.cordon.device(sensor.name)["mark"]
    for statement in ("notrack", f"ct mark set {mark}", "ct mark set 0x1"):
        priority = -300 if statement == "notrack" else -100
        world.lab.router.nft("table inet other {\nchain c {\n"
                             f"type filter hook prerouting priority {priority}; policy accept;\n"
                             f"udp dport 123 {statement}\n}}\n}}\n")
        try:
            assert world.refused(sensor, server, family, 123, tag="foreign"), statement
        finally:
            world.lab.router.nft("delete table inet other")


def test_forged_answers_do_not_get_out(world, sensor, family):
    """A packet that looks like an answer (source port of a service) is judged as what it is."""
    server = world.lab.server
    tag = b"looks-like-an-answer"
    frame = packets.udp_frame(sensor.mac, world.router_mac(sensor), sensor.address(family),
                              server.address(family), 5000, 40123, tag)
    with world.arrivals(server, tag) as got:
        world.send_frames(sensor, frame)
        assert got() == 0
    frame = packets.tcp_frame(sensor.mac, world.router_mac(sensor), sensor.address(family),
                              server.address(family), 8883, 40123, flags=packets.SYN | packets.ACK, payload=tag)
    with world.arrivals(server, tag) as got:
        world.send_frames(sensor, frame)
        assert got() == 0


def test_policy_check_without_a_daemon(world, tmp_path):
    """Parsing needs no running appliance."""
    done = subprocess.run([world.stage.find("cordonctl"), "policy", "check", world.cordon.etc,
                           "--programs", world.stage.reachable_programs()],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
