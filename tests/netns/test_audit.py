# SPDX-License-Identifier: GPL-2.0-or-later
"""A class in audit lets everything through, and records each thing that it would refuse."""
import pytest

from lab import packets
from lab.traffic import ping, tcp_works, udp_answers

pytestmark = pytest.mark.once

GRE = 47
ICMP = {4: "icmp", 6: "icmpv6"}


@pytest.fixture(scope="module")
def world(make_world):
    """Every class in audit; nothing is allowed to anybody, and one device may be reached from outside."""
    made = make_world(start=False)
    for name in made.site.classes:
        made.site.classes[name] = []
        made.site.modes[name] = "audit"
    made.site.words["camera"] = 'inbound = ( { from = ("192.0.2.2", "fd20::2"); tcp = 22; } );'
    made.site.write()
    for device in made.lab.of_kind("camera"):
        made.reflector.tcp(device, 1883)
        made.reflector.udp(device, 1883)
    made.start()
    made.attempts()     # the evidence knows the devices
    return made


@pytest.fixture
def sensor(world):
    return world.lab.of_kind("sensor")[0]


@pytest.fixture
def gateway(world):
    return world.lab.of_kind("gateway")[0]


def recorded(world, device, protocol, host, family, n=1, **wanted):
    rows = world.wait_attempts(n, device=device.name, destination=host.address(family), protocol=protocol,
                               verdict="audited", **wanted)
    assert all(row["packets"] >= 1 for row in rows)


def test_tcp(world, sensor, family):
    assert tcp_works(sensor, world.lab.server.address(family), 22)
    recorded(world, sensor, "tcp", world.lab.server, family, port=22)


def test_udp(world, sensor, family):
    assert udp_answers(sensor, world.lab.server.address(family), 123) == 4
    recorded(world, sensor, "udp", world.lab.server, family, port=123)


def test_ping(world, sensor, family):
    assert ping(sensor, world.lab.other.address(family)) == 3
    recorded(world, sensor, ICMP[family], world.lab.other, family)


def test_protocol_without_ports(world, sensor, family):
    server = world.lab.server
    frame = packets.frame(sensor.mac, world.router_mac(sensor), sensor.address(family), server.address(family),
                          GRE, packets.gre(b"audited"))
    with world.arrivals(server, b"audited") as got:
        world.send_frames(sensor, frame)
        assert got(1) >= 1
    recorded(world, sensor, "gre", server, family)


def test_device_to_device(world, sensor, gateway, family):
    assert tcp_works(sensor, gateway.address(family), 1883)
    recorded(world, sensor, "tcp", gateway, family, port=1883)
    assert udp_answers(sensor, gateway.address(family), 1883) == 4
    recorded(world, sensor, "udp", gateway, family, port=1883)


def test_ping_device_to_device(world, sensor, gateway, family):
    assert ping(sensor, gateway.address(family)) == 3
    recorded(world, sensor, ICMP[family], gateway, family)


@pytest.mark.parametrize("kind", ["gateway", "camera"])
def test_from_outside(world, family, kind):
    """Of a class without inbound rules, and of one with them that name somebody else."""
    device = world.lab.of_kind(kind)[0]
    mgmt = world.lab.mgmt
    assert tcp_works(mgmt, device.address(family), 1883)
    recorded(world, device, "tcp", device, family, port=1883, source=mgmt.address(family))
    assert udp_answers(mgmt, device.address(family), 1883) == 4
    recorded(world, device, "udp", device, family, port=1883, source=mgmt.address(family))


def test_ping_from_outside(world, sensor, family):
    mgmt = world.lab.mgmt
    assert ping(mgmt, sensor.address(family)) == 3
    recorded(world, sensor, ICMP[family], sensor, family, source=mgmt.address(family))


def test_counted_exactly(world, sensor, family):
    """Each connection is one more packet of the same attempt."""
    for _ in range(5):
        assert tcp_works(sensor, world.lab.other.address(family), 443)
    rows = world.wait_attempts(device=sensor.name, destination=world.lab.other.address(family), port=443)
    assert sum(row["packets"] for row in rows) == 5
