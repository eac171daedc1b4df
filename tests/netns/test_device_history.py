# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened to a device, by cordon's own hand and by an operator's: what, when, and by whom."""
import os
import signal

import pytest

from lab.topology import wait_for

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 4), ("camera", 1)])


def history(world, device):
    """Without the addresses that were seen."""
    return [e for e in world.cordon.ask("device", "history", device.name)["history"] if e["what"] != "address-seen"]


def whats(world, device):
    return [e["what"] for e in history(world, device)]


def test_enrolled_by_somebody(world):
    for device in world.lab.devices:
        event, = history(world, device)
        assert event["what"] == "enrolled" and event["revision"] == 1
        assert event["who"]["uid"] == os.getuid()


def test_what_an_operator_says(world):
    device = world.lab.devices[0]
    world.cordon.ctl("device", "quarantine", device.name, "--reason", "looks odd")
    world.cordon.ctl("device", "release", device.name, "--reason", "was the plumber")
    assert whats(world, device) == ["enrolled", "quarantined", "released"]
    _, put, let = history(world, device)
    assert put["words"] == "looks odd" and let["words"] == "was the plumber"
    assert put["who"]["uid"] == let["who"]["uid"] == os.getuid()
    assert put["at"] <= let["at"]


def test_what_a_crl_says(world):
    device = world.lab.devices[1]
    world.revoke(device)
    _, event = history(world, device)
    assert event["what"] == "quarantined" and event["reason"] == "keyCompromise"
    assert event["authority"] == world.site.authority[0] and event["evidence"] == "certificate"
    assert not event["who"] or event["who"]["uid"] is None or event["who"]["uid"] == 2 ** 32 - 1
    world.publish()
    world.cordon.ctl("crl", "refresh", "--wait")
    assert len(history(world, device)) == 2     # the same again is no news


def test_what_a_policy_does(world):
    mover, rebound = world.lab.devices[2], world.lab.devices[3]
    kinds, macs = mover.kind, rebound.mac
    try:
        mover.kind, rebound.mac = "camera", "02:00:00:ab:cd:ef"
        world.apply()
        assert whats(world, mover) == ["enrolled", "class-changed"]
        assert [history(world, mover)[-1][key] for key in ("class_before", "class")] == ["sensor", "camera"]
        assert whats(world, rebound) == ["enrolled", "rebound"]
        assert [history(world, rebound)[-1][key] for key in ("mac_before", "mac")] == [macs, "02:00:00:ab:cd:ef"]
        rebound.serial, before = "77", rebound.serial
        world.apply()
        assert whats(world, rebound) == ["enrolled", "rebound", "renewed"]
        rebound.serial = before
    finally:
        mover.kind, rebound.mac = kinds, macs
        world.apply()
    assert whats(world, mover)[-1] == "class-changed"


def test_it_survives_a_crash(world):
    before = {d.name: history(world, d) for d in world.lab.devices}
    pid = world.cordon.kill("cordond", signal.SIGKILL)
    wait_for("another cordond", lambda: world.cordon.pids().get("cordond") not in (None, pid), 15, 0.05)
    world.cordon.wait_until_ready()
    assert {d.name: history(world, d) for d in world.lab.devices} == before
