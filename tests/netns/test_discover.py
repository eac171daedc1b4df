# SPDX-License-Identifier: GPL-2.0-or-later
"""What is on the device interfaces and in no inventory is listed, bounded, and as text."""
import csv
import io
import ipaddress
import json
import os
import socket
import struct
import time

import pytest

from lab import packets, topology
from lab.topology import wait_for

pytestmark = pytest.mark.once

STRANGER = "00:00:5e:00:53:01"      # of the block for documentation (RFC 7042)
LIMIT_PER_MINUTE = 60               # LIMIT_SIGHTINGS_NEW


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 3), ("gateway", 1)])


def discover(world, *argv):
    """From inside the router, as an admin's is: the neighbours are a namespace's own."""
    command = world.cordon.command("device", "discover", *argv, "--json")
    return json.loads(world.lab.router.run(command).stdout)


def entry(world, mac, *argv):
    return next((row for row in discover(world, *argv)["unknown"] if row["mac"] == mac), None)


def wait_entry(world, mac, condition=lambda row: True):
    return wait_for(f"{mac} to be listed", lambda: (lambda row: row if row and condition(row) else None)(
        entry(world, mac)), 15, 0.2)


def option(code, value):
    return bytes([code, len(value)]) + value


def dhcp_discover(mac, name, vendor=b"udhcp 1.36.1"):
    """A DHCPDISCOVER as a client without an address sends it."""
    hardware = packets.mac_bytes(mac)
    options = (option(53, b"\1") + option(61, b"\1" + hardware) + option(60, vendor)
               + option(55, bytes([1, 3, 6, 12])) + option(12, name) + b"\xff")
    bootp = (struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x12345678, 0, 0x8000) + bytes(16) + hardware + bytes(10)
             + bytes(192) + bytes.fromhex("63825363") + options)
    return packets.udp_frame(mac, packets.BROADCAST, "0.0.0.0", "255.255.255.255", 68, 67, bootp)


def option6(code, value):
    return struct.pack("!HH", code, len(value)) + value


def dhcp6_solicit(mac, labels):
    name = b"\0" + b"".join(bytes([len(one)]) + one for one in labels) + b"\0"
    message = (b"\1abc" + option6(1, b"\0\3\0\1" + packets.mac_bytes(mac)) + option6(6, b"\0\x17\0\x18")
               + option6(16, struct.pack("!IH", 40808, 4) + b"acme") + option6(39, name))
    return packets.udp_frame(mac, "33:33:00:01:00:02", "fe80::5e53", "ff02::1:2", 546, 547, message)


def arp_request(mac, source, target):
    ours, theirs = (ipaddress.ip_address(one).packed for one in (source, target))
    return (packets.mac_bytes(packets.BROADCAST) + packets.mac_bytes(mac)
            + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1)
            + packets.mac_bytes(mac) + ours + bytes(6) + theirs)


def test_a_stranger_shows_everything(world):
    """It asks for an address, then pings and tries a server."""
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    router = world.router_mac(device)
    before = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    world.send_frames(device, dhcp_discover(STRANGER, b"kitchen-cam"))
    row = wait_entry(world, STRANGER)
    assert row["dhcp_name"] == "kitchen-cam"
    assert row["dhcp_vendor_class"] == "udhcp 1.36.1"
    assert row["dhcp_parameters"] == "1,3,6,12"
    assert row["dhcp_client_id"] == "01" + STRANGER.replace(":", "")
    assert row["interface"] == device.port
    assert row["prefix"] == STRANGER[:8] and row["random_or_virtual"] is False
    assert row["addresses"] == [] and row["refused_packets"] == 1
    assert before <= row["first"] <= row["last"]
    world.send_frames(device, packets.icmp_frame(STRANGER, router, "10.10.0.77", world.lab.server.ip4),
                      *[packets.udp_frame(STRANGER, router, "10.10.0.77", other.ip4, 40000, 7001, b"x")] * 9,
                      packets.udp_frame(STRANGER, router, "fd10::77", other.ip6, 40000, 7001, b"x"))
    row = wait_entry(world, STRANGER, lambda row: row["refused_packets"] == 12)
    assert sorted(row["addresses"]) == ["10.10.0.77", "fd10::77"]
    assert row["dhcp_name"] == "kitchen-cam"
    table = world.cordon.ctl("device", "discover")
    line = next(line for line in table.splitlines() if STRANGER in line)
    assert "kitchen-cam" in line and "10.10.0.77" in line and line.split()[-1] == "12"


def test_dhcpv6(world):
    """Questions to all servers arrive where somebody listens to them, as a server or relay does."""
    device, mac = world.lab.of_kind("sensor")[0], "00:00:5e:00:53:06"
    server = world.lab.router.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        with world.lab.router.inside():
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                              socket.inet_pton(socket.AF_INET6, "ff02::1:2")
                              + struct.pack("=I", socket.if_nametoindex(device.port)))
        world.send_frames(device, dhcp6_solicit(mac, [b"lamp", b"home"]))
        row = wait_entry(world, mac)
    finally:
        server.close()
    assert (row["dhcp_name"], row["dhcp_vendor_class"], row["dhcp_parameters"]) == ("lamp.home", "acme", "23,24")


def test_who_only_speaks_arp(world):
    """No packet of it is ever refused; the router knows it as a neighbour."""
    device, mac = world.lab.of_kind("sensor")[1], "00:00:5e:00:53:02"
    world.lab.router.ip(f"route add 10.10.0.200/32 dev {device.port}")
    world.send_frames(device, arp_request(mac, "10.10.0.200", topology.GATEWAY4))
    row = wait_entry(world, mac)
    assert row["neighbour"] is True
    assert row["addresses"] == ["10.10.0.200"]
    assert row["first"] is None and row["refused_packets"] == 0
    assert row["interface"] == device.port


def test_the_known_are_not_listed(world):
    """Not with a wrong address, and not on a wrong port: that is an attempt."""
    device, neighbour = world.lab.of_kind("sensor")[:2]
    other = world.lab.other
    world.send_frames(device, *world.forged(device, other.ip4, src="10.10.0.99", port=7009, n=1))
    world.send_frames(neighbour, packets.udp_frame(device.mac, world.router_mac(neighbour), device.ip4, other.ip4,
                                                   40000, 7010, b"x"))
    world.send_frames(neighbour, dhcp_discover(device.mac, b"not-me"))
    assert world.wait_attempts(port=7009, reason="wrong-address")
    assert world.wait_attempts(port=7010, reason="wrong-port")
    assert entry(world, device.mac) is None
    assert all(row["dhcp_name"] != "not-me" for row in discover(world)["unknown"])


def test_a_hostile_name_is_text(world):
    device, mac = world.lab.of_kind("sensor")[0], "00:00:5e:00:53:03"
    name = b'\x1b]0;own\x07\x1b[2J$(reboot)`id`";}\r\n# \xff\xe2\x80\xae'
    world.send_frames(device, dhcp_discover(mac, name, vendor=b"a\0b\x9b31m"))
    row = wait_entry(world, mac)
    assert row["dhcp_name"] == '?]0;own??[2J$(reboot)`id`";}??# ????'
    assert row["dhcp_vendor_class"] == "a?b?31m"
    for form in ((), ("--as", "csv"), ("--as", "config"), ("--json",)):
        text = world.cordon.ctl("device", "discover", *form)
        assert all(c == "\n" or c.isprintable() for c in text)


def test_as_an_inventory(world):
    """As it stands nothing of it is taken; with a class it is."""
    text = world.cordon.ctl("device", "discover", "--as", "csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    mine = next(row for row in rows if row["mac"] == STRANGER)
    assert mine["name"] == "kitchen-cam" and mine["class"] == "?"
    assert sorted(mine["address"].split(";")) == ["10.10.0.77", "fd10::77"]
    assert {row["class"] for row in rows} == {"?"}
    assert len({row["name"] for row in rows}) == len(rows)
    path = os.path.join(world.lab.dir, "found.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    done = world.cordon.try_ctl("device", "import", path)
    assert done.returncode == 1 and "?" in done.stdout + done.stderr
    assert not os.path.exists(os.path.join(world.cordon.etc, "devices.d/found.csv"))
    config = world.cordon.ctl("device", "discover", "--as", "config")
    assert 'name = "kitchen-cam"; class = "?"' in config
    target = os.path.join(world.cordon.etc, "devices.d/found.conf")
    try:
        for class_name, expected in (("?", 1), ("sensor", 0)):
            with open(target, "w", encoding="utf-8") as f:
                f.write(config.replace('"?"', f'"{class_name}"'))
            done = world.cordon.try_ctl("policy", "check")
            assert done.returncode == expected, done.stdout + done.stderr
        world.cordon.ctl("policy", "apply")
        assert entry(world, STRANGER) is None       # it has a name now
    finally:
        os.unlink(target)
        world.cordon.ctl("policy", "apply")
    assert wait_entry(world, STRANGER)["dhcp_name"] == "kitchen-cam"


def test_since(world):
    assert entry(world, STRANGER, "--since", "1h") is not None
    assert discover(world, "--since", "2100-01-01")["unknown"] == []
    assert world.cordon.try_ctl("device", "discover", "--since", "soon").returncode == 64
    assert world.cordon.try_ctl("device", "discover", "--as", "xml").returncode == 64


def test_a_flood_does_not_hide_it(world):
    """10,000 invented MACs that ask for an address, and that try a server."""
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    before = discover(world)
    macs = [f"00:00:5f:{i >> 16:02x}:{i >> 8 & 255:02x}:{i & 255:02x}" for i in range(10000)]
    world.send_frames(device, *(dhcp_discover(mac, b"flood") for mac in macs[:5000]),
                      *(packets.udp_frame(mac, world.router_mac(device), "10.10.0.66", other.ip4, 4000, 7012, b"x")
                        for mac in macs[5000:]))
    after = wait_for("the flood to be noticed", lambda: (lambda d: d if d["not_taken"] > before["not_taken"] else None)(
        discover(world)), 20, 0.5)
    flooded = [row for row in after["unknown"] if row["mac"].startswith("00:00:5f")]
    assert 0 < len(flooded) <= 2 * LIMIT_PER_MINUTE      # a minute may have ended meanwhile
    row = next(row for row in after["unknown"] if row["mac"] == STRANGER)
    assert row["dhcp_name"] == "kitchen-cam"
    assert after["pushed_out"] == 0
    # another port is not concerned, and who is listed goes on being seen
    mac = "00:00:5e:00:53:04"
    world.send_frames(world.lab.of_kind("gateway")[0], dhcp_discover(mac, b"late"))
    assert wait_entry(world, mac)["dhcp_name"] == "late"
    assert world.cordon.try_ctl("status").returncode == 0
    assert world.delivered(device, world.lab.server, 4) == 4


def test_it_outlives_a_restart(world):
    before = entry(world, STRANGER)
    world.cordon.stop()
    world.cordon.start()
    after = wait_entry(world, STRANGER)
    assert {key: after[key] for key in ("first", "addresses", "dhcp_name", "refused_packets")} == \
           {key: before[key] for key in ("first", "addresses", "dhcp_name", "refused_packets")}
