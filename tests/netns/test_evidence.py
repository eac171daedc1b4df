# SPDX-License-Identifier: GPL-2.0-or-later
"""Every refused flow is one attempt with exact counts; floods and scanners change neither."""
import json
import os
import subprocess
import time

import pytest

from lab import packets
from lab.cordon import Watch
from lab.topology import wait_for
from lab.traffic import ping, tcp_open, udp_answers

BUILD = os.environ.get("CORDON_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 6), ("camera", 1), ("gateway", 1)])


def blast(world, device, lines, count, *more):
    """Frames from a device's wire, from one core, as fast as it goes."""
    argv = [os.path.join(BUILD, "normal/bench/blast"), "--netns", device.ns.path, "--count", str(count), *more]
    return subprocess.run(argv, input=lines, text=True, check=True, stdout=subprocess.PIPE).stdout


def flow_line(world, device, dst, sport, dport):
    source = device.address(6 if ":" in dst else 4)
    return f"{device.mac} {world.router_mac(device)} {source} {dst} {sport} {dport}\n"


@pytest.mark.vm
def test_exact_packets_and_bytes(world, family):
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    before = int(time.time() * 1000)
    frames = [packets.udp_frame(device.mac, world.router_mac(device), device.address(family), other.address(family),
                                40000, 7001, b"x" * 100) for _ in range(7)]
    world.send_frames(device, *frames)
    row = world.wait_attempts(device=device.name, destination=other.address(family), port=7001)[0]
    assert row["reason"] == "not-allowed"
    assert row["verdict"] == "refused"
    assert row["protocol"] == "udp"
    assert row["source"] == device.address(family)
    assert row["class"] == "sensor"
    assert row["interface"] == device.port
    assert (row["packets"], row["bytes"]) == (7, 7 * (100 + 8 + (20 if family == 4 else 40)))
    assert before // 1000 <= time.time()
    assert row["first"] <= row["last"]


def test_one_flow_key_is_one_attempt(world, family):
    """Twenty source ports to one destination: one attempt."""
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    frames = [packets.udp_frame(device.mac, world.router_mac(device), device.address(family), other.address(family),
                                40000 + i, 7002, b"x") for i in range(20)]
    world.send_frames(device, *frames)
    rows = world.wait_attempts(device=device.name, port=7002, destination=other.address(family))
    assert len(rows) == 1
    assert rows[0]["packets"] == 20


def test_refused_tcp(world, family):
    device = world.lab.of_kind("sensor")[0]
    assert tcp_open(device, world.lab.other.address(family), 7003, timeout=0.3) is None
    row = world.wait_attempts(device=device.name, port=7003, destination=world.lab.other.address(family))[0]
    assert row["protocol"] == "tcp"


@pytest.mark.vm
def test_pings_are_one_attempt(world, family):
    """Bytes that look like ports do not make keys of their own, and short payloads are recorded too."""
    device, other = world.lab.of_kind("sensor")[1], world.lab.other
    for size in (0, 1, 3, 56):
        frame = packets.icmp_frame(device.mac, world.router_mac(device), device.address(family),
                                   other.address(family), ident=size + 1, payload=b"p" * size)
        world.send_frames(device, frame)
    protocol = "icmp" if family == 4 else "icmpv6"
    rows = world.wait_attempts(device=device.name, protocol=protocol, destination=other.address(family))
    assert len(rows) == 1
    assert rows[0]["packets"] == 4
    assert rows[0]["port"] is None


@pytest.mark.parametrize("protocol,number", [("gre", 47), ("esp", 50), ("89", 89)])
def test_protocols_without_ports(world, family, protocol, number):
    device, other = world.lab.of_kind("sensor")[1], world.lab.other
    frames = [packets.frame(device.mac, world.router_mac(device), device.address(family), other.address(family),
                            number, payload) for payload in (b"", b"12", b"1234", b"abcdefgh")]
    with world.arrivals(other, b"abcdefgh") as got:
        world.send_frames(device, *frames)
        assert got() == 0
    rows = world.wait_attempts(device=device.name, destination=other.address(family), port=None,
                               protocol=protocol)
    assert len(rows) == 1


@pytest.mark.parametrize("name,flags", [("NULL", 0), ("XMAS", packets.FIN | packets.PSH | packets.URG)])
def test_invalid_packets(world, family, name, flags):
    device, server = world.lab.of_kind("sensor")[2], world.lab.server
    tag = f"invalid-{name}".encode()
    before = world.status()["refused"]["invalid_packets"]
    frame = packets.tcp_frame(device.mac, world.router_mac(device), device.address(family), server.address(family),
                              45000, 8883, flags=flags, payload=tag)
    with world.arrivals(server, tag) as got:
        world.send_frames(device, frame, frame)
        assert got() == 0
    assert world.status()["refused"]["invalid_packets"] == before + 2
    assert world.wait_attempts(reason="invalid", device=device.name)


def test_bad_checksum(world, family):
    device, server = world.lab.of_kind("sensor")[3], world.lab.server
    frame = packets.tcp_frame(device.mac, world.router_mac(device), device.address(family), server.address(family),
                              45001, 8883, bad=True, payload=b"badsum")
    with world.arrivals(server, b"badsum") as got:
        world.send_frames(device, frame)
        assert got() == 0
    assert world.wait_attempts(reason="invalid", device=device.name)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_flood_is_one_attempt(world):
    """2,000,000 refused packets to one destination: one attempt, exactly that count, and flow idles."""
    device, other, n = world.lab.of_kind("sensor")[4], world.lab.other, 2000000
    flow = world.cordon.pids()["cordon-flow"]
    before, start = cpu_seconds(flow), time.monotonic()
    blast(world, device, flow_line(world, device, other.ip4, 40000, 7010), n)
    took = time.monotonic() - start
    used = cpu_seconds(flow) - before
    rows = world.wait_attempts(device=device.name, port=7010)
    assert len(rows) == 1
    assert rows[0]["packets"] == n
    assert used < max(0.1, 0.02 * took), f"cordon-flow used {used:.2f} s of {took:.1f} s"
    assert world.cordon.pids()["cordon-flow"] == flow


def test_scanner_hides_nobody(world):
    """One device scans 20,000 ports; another device's single attempt is on record, and all is counted."""
    scanner, other = world.lab.of_kind("sensor")[5], world.lab.other
    quiet = world.lab.of_kind("camera")[0]
    before = world.cordon.device(scanner.name)["refused_packets"]
    lines = "".join(flow_line(world, scanner, other.ip4, 40000, 10000 + i) for i in range(20000))
    blast(world, scanner, lines, 60000)
    udp_answers(quiet, other.ip4, 7020, n=3, tag="quiet", patience=0.1)
    row = world.wait_attempts(device=quiet.name, port=7020)[0]
    assert row["packets"] == 3
    wait_for("all of it to be counted",
             lambda: world.cordon.device(scanner.name)["refused_packets"] == before + 60000, 20, 0.2)
    assert world.status()["refused"]["overflow_packets"] > 0


def test_strangers_hide_nobody(world):
    """Frames from 5,000 made-up MACs: counted, bounded, and a device is still recorded."""
    port_owner, other = world.lab.of_kind("sensor")[3], world.lab.other
    before = world.status()["refused"]["stranger_packets"]
    lines = "".join(f"02:66:00:00:{i >> 8:02x}:{i & 255:02x} {world.router_mac(port_owner)} 10.99.{i >> 8}.{i & 255} "
                    f"{other.ip4} 40000 7030\n" for i in range(5000))
    blast(world, port_owner, lines, 10000)
    udp_answers(port_owner, other.ip4, 7031, n=2, tag="amid", patience=0.1)
    assert world.wait_attempts(device=port_owner.name, port=7031)[0]["packets"] == 2
    wait_for("strangers to be counted",
             lambda: world.status()["refused"]["stranger_packets"] == before + 10000, 20, 0.2)


@pytest.mark.feature("connlimit")
def test_connection_limit(make_world):
    """One device cannot fill the connection table for all."""
    world = make_world(kinds=[("sensor", 2)], start=False)
    world.site.appliance = ["connections = 100;"]
    world.site.write()
    world.start()
    greedy, modest = world.lab.devices
    lines = "".join(flow_line(world, greedy, world.lab.server.ip4, 10000 + i, 5000) for i in range(5000))
    blast(world, greedy, lines, 5000)
    table = world.lab.router.run(["conntrack", "-L", "-s", greedy.ip4], check=False).stdout
    assert table.count(f"src={greedy.ip4} ") <= 101
    assert world.delivered(modest, world.lab.server, 4, 5000) == 4
    assert world.wait_attempts(reason="connection-limit", device=greedy.name)


def test_rate(make_world):
    """Beyond its class's rate a device begins no connection, also to where it may go; that is a reason of its own."""
    world = make_world(kinds=[("sensor", 2)], start=False)
    path = os.path.join(world.cordon.etc, "classes.d/sensor.conf")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace('mode = "enforce";', 'mode = "enforce"; rate = { per_second = 5; burst = 20; };'))
    world.start()
    hasty, modest = world.lab.devices
    lines = "".join(flow_line(world, hasty, world.lab.server.ip4, 10000 + i, 5000) for i in range(2000))
    blast(world, hasty, lines, 2000)
    assert world.delivered(modest, world.lab.server, 4, 5000) == 4
    row = wait_for("the rest to be counted", lambda: next(
        (row for row in world.attempts(reason="rate", device=hasty.name) if row["packets"] > 1900), None), 15, 0.2)
    assert row["packets"] <= 1980       # the burst, and what the time allowed
    assert row["identity"] == "proved"
    assert not world.attempts(reason="not-allowed", device=hasty.name)


def test_counts_survive_the_death_of_flow(world, family):
    """cordon-flow dies in between; the kernel counted, so nothing is missing."""
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    port = 7040 + family

    def send(n):
        world.send_frames(device, *(packets.udp_frame(device.mac, world.router_mac(device), device.address(family),
                                                      other.address(family), 40000, port, b"x") for _ in range(n)))
    send(5)
    world.wait_attempts(device=device.name, port=port)
    world.cordon.kill("cordon-flow")
    send(6)
    wait_for("cordon-flow to be back", lambda: world.status()["workers"]["cordon-flow"]["up"], 15, 0.1)
    send(7)

    def total():
        return sum(row["packets"] for row in world.attempts(device=device.name, port=port))
    wait_for("all 18 packets on record", lambda: total() == 18, 15, 0.2)


def test_follow_shows_what_comes(world):
    device = world.lab.of_kind("sensor")[0]
    watch = Watch(world.cordon)
    time.sleep(0.5)
    udp_answers(device, world.lab.other.ip4, 7050, n=2, tag="follow", patience=0.1)
    world.wait_attempts(device=device.name, port=7050)
    time.sleep(1.5)
    rows = watch.close()
    assert any(row["port"] == 7050 and row["device"] == device.name for row in rows)


def test_evidence_is_not_for_everybody(world):
    folder = os.path.join(world.cordon.state, "evidence")
    for where, _, files in os.walk(folder):
        for name in files:
            assert os.stat(os.path.join(where, name)).st_mode & 0o007 == 0, name


def test_device_filter_and_json(world):
    device = world.lab.of_kind("camera")[0]
    ping(device, world.lab.other.ip4, n=1)
    world.wait_attempts(device=device.name)
    rows = world.cordon.attempts(device.name)
    assert rows and all(row["device"] == device.name for row in rows)
    assert json.loads(world.cordon.ctl("attempt", "list", "--since", "1s", "--json")) is not None
