# SPDX-License-Identifier: GPL-2.0-or-later
"""Who tries to hide what is refused, or to make the counts wrong."""
import os
import subprocess
import time

import pytest

from lab import packets
from lab.netns import LabError
from lab.topology import wait_for
from lab.traffic import udp_answers

pytestmark = pytest.mark.once

BUILD = os.environ.get("CORDON_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
OUT0 = "02:00:00:ff:00:01"      # the router's MAC towards the outside


@pytest.fixture(scope="module")
def world(make_world):
    world = make_world(kinds=[("sensor", 4), ("camera", 1), ("gateway", 1)], start=False)
    world.site.appliance = ['window = "1s";']
    world.site.write()
    world.start()
    return world


def blast(host, lines, count):
    argv = [os.path.join(BUILD, "normal/bench/blast"), "--netns", host.ns.path, "--count", str(count)]
    subprocess.run(argv, input=lines, text=True, check=True, stdout=subprocess.PIPE)


def frames(world, device, dst, port, n, sport=40000):
    return [packets.udp_frame(device.mac, world.router_mac(device), device.address(6 if ":" in dst else 4), dst,
                              sport, port, b"x") for _ in range(n)]


def total(world, device, port):
    return sum(row["packets"] for row in world.attempts(device=device.name, port=port))


def test_scan_from_outside_hides_nothing(world):
    """A host outside scans a device: the device's own attempt is on record, exactly."""
    device, other = world.lab.of_kind("sensor")[0], world.lab.other
    lines = "".join(f"{world.lab.server.mac} {OUT0} 192.0.2.2 {device.ip4} 40000 {20000 + i}\n" for i in range(2000))
    blast(world.lab.server, lines, 4000)
    udp_answers(device, other.ip4, 7060, n=3, tag="amid-scan", patience=0.1)
    assert world.wait_attempts(device=device.name, port=7060)[0]["packets"] == 3


def test_exact_over_generations_and_windows(world, family):
    """The same key before and after its windows ended, its class changed, and the table was made anew."""
    device, other = world.lab.of_kind("sensor")[1], world.lab.other
    port, sent = 7070 + family, 0

    def refused():
        return world.cordon.device(device.name)["refused_packets"]

    def send(n):
        nonlocal sent
        before = refused()
        world.send_frames(device, *frames(world, device, other.address(family), port, n))
        sent += n
        wait_for("them to be refused", lambda: refused() == before + n)     # before the next change
    send(5)
    world.quarantine(device)
    send(6)
    world.release(device)
    send(7)
    with world.changed() as site:
        site.classes["sensor"] = site.classes["sensor"][:1]
        world.apply()
        send(8)
        site.appliance = site.appliance + ["hook_priority = 5;"]    # base chains are made anew, with the table
        world.apply()
        send(9)
    send(4)
    try:
        wait_for(f"{sent} packets on record", lambda: total(world, device, port) == sent, 25, 0.2)
    except LabError as e:
        raise AssertionError(f"{e}: {world.attempts(device=device.name, port=port)}") from None
    assert all(row["source"] == device.address(family) for row in world.attempts(device=device.name, port=port))


def test_exact_while_windows_end(world):
    """A steady stream over several window ends: not one packet missing or told twice."""
    device, other = world.lab.of_kind("sensor")[2], world.lab.other
    sent, deadline = 0, time.monotonic() + 12
    while time.monotonic() < deadline:
        world.send_frames(device, *frames(world, device, other.ip4, 7080, 20), *frames(world, device, other.ip6, 7080, 5))
        sent += 25
        world.cordon.try_ctl("attempt", "list")     # asks for the counts in between
        time.sleep(0.05)
    wait_for(f"{sent} packets on record", lambda: total(world, device, 7080) == sent, 25, 0.2)


def test_attempt_between_devices(world, family):
    """Refused between devices: recorded under the one that tried."""
    sensor, camera = world.lab.of_kind("sensor")[0], world.lab.of_kind("camera")[0]
    world.send_frames(sensor, *frames(world, sensor, camera.address(family), 7090, 3))
    row = world.wait_attempts(device=sensor.name, destination=camera.address(family), port=7090)[0]
    assert (row["packets"], row["reason"], row["verdict"]) == (3, "not-allowed", "refused")
