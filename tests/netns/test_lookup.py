# SPDX-License-Identifier: GPL-2.0-or-later
"""Who comes with a policy is looked up in the CRLs at hand before it gets any access. When nobody can
look it up it waits in quarantine, and goes where it belongs as soon as somebody has."""
import contextlib
import datetime
import json
import signal
import subprocess
import time

import pytest

from lab.topology import wait_for

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def world(make_world):
    world = make_world(kinds=[("sensor", 12), ("gateway", 1)], start=False)
    world.site.devices = world.lab.of_kind("gateway") + world.lab.of_kind("sensor")[:2]
    world.site.write()
    world.start()
    world.publish()
    world.cordon.ctl("crl", "refresh", "--wait")
    return world


@pytest.fixture(scope="module")
def newcomer(world):
    """Two devices that no policy had yet; the second one's certificate is on the CRL in the cache."""
    left = list(world.lab.of_kind("sensor")[2:])

    def take():
        good, bad = left.pop(), left.pop()
        world.ca.revoke(bad.serial)
        world.publish()
        world.cordon.ctl("crl", "refresh", "--wait")
        return good, bad
    return take


def enroll(world, *devices):
    world.site.devices = world.site.devices + list(devices)
    return world.apply()


@contextlib.contextmanager
def offline(world):
    """The CA's server is gone: what is in the cache has to do."""
    world.web.fail_with = 503
    try:
        yield
    finally:
        world.web.fail_with = None


@contextlib.contextmanager
def knocking(world, device):
    """It sends without a pause, and nothing may arrive at the server."""
    tag = f"knock-{device.name}".encode()
    with world.arrivals(world.lab.server, tag) as got:
        stop = world.steady(world.flow(device, world.lab.server, 4, 5000, tag.decode()), period=0.002)
        with stop as steady:
            yield
            time.sleep(0.2)
            steady.stop(0)
        assert got() == 0


def causes(world, device):
    shown = world.cordon.device(device.name)
    return json.dumps(shown.get("cause"))


def became(world, device):
    """What became of it, in one word each."""
    history = world.cordon.ask("device", "history", device.name)["history"]
    return [e["what"] for e in history if e["what"] != "address-seen"]


def test_listed_before_it_is_enrolled(world, newcomer):
    good, bad = newcomer()
    with offline(world), knocking(world, bad):
        enroll(world, good, bad)
        assert world.station(good) == "enforced" and world.station(bad) == "quarantined"
    assert "revoked" in causes(world, bad)
    assert became(world, good) == ["enrolled"], "it waited in quarantine, and not the policy for it"
    assert world.delivered(good, world.lab.server, 4, 5000) == 4


def test_nobody_can_look_it_up(world, newcomer):
    """cordon-pki hangs: both wait in quarantine after ten seconds, whoever was there keeps its flows,
    and when it goes on one of the two is let out."""
    good, bad = newcomer()
    old = world.site.devices[1]
    flow = world.flow(old, world.lab.server, 4, 5000, "old")
    with offline(world), knocking(world, bad), world.steady(flow) as steady:
        assert world.cordon.kill("cordon-pki", signal.SIGSTOP)
        try:
            began = time.monotonic()
            enroll(world, good, bad)
            assert 9 < time.monotonic() - began < 14
            assert world.station(good) == world.station(bad) == "quarantined"
            assert world.refused(good, world.lab.server, 4, 5000)
            steady.stop()
            assert flow.answered and not flow.lost
        finally:
            world.cordon.kill("cordon-pki", signal.SIGCONT)
        world.wait_station(good, "enforced", timeout=10)
        assert world.station(bad) == "quarantined"
    assert "revoked" in causes(world, bad) and world.delivered(good, world.lab.server, 6, 5000) == 4


def test_killed_while_it_looks(world, newcomer):
    """Another cordon-pki is asked, and the apply is none the wiser."""
    good, bad = newcomer()
    with offline(world), knocking(world, bad):
        assert world.cordon.kill("cordon-pki", signal.SIGSTOP)
        world.site.devices = world.site.devices + [good, bad]
        world.site.write()
        apply = subprocess.Popen(world.cordon.command("policy", "apply", "--json"), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        try:
            wait_for("it to be looked up", lambda: json.loads(world.cordon.try_ctl(
                "status", "--json").stdout)["workers"]["cordon-compile"]["up"] is False and apply.poll() is None, 5, 0.05)
            time.sleep(0.5)
            assert apply.poll() is None
            assert world.cordon.kill("cordon-pki", signal.SIGKILL)
            assert apply.wait(6) == 0
        finally:
            apply.kill()
            apply.communicate()
        assert world.station(good) == "enforced" and world.station(bad) == "quarantined"


def test_back_to_a_policy_with_a_device_that_was_revoked_meanwhile(world):
    """Rollback and the end of an unconfirmed policy bring devices as well."""
    device = world.site.devices[2]
    keep = world.site.devices
    world.site.devices = [d for d in keep if d is not device]
    world.apply()
    world.ca.revoke(device.serial)
    world.publish()
    world.cordon.ctl("crl", "refresh", "--wait")
    with knocking(world, device):
        world.cordon.ctl("policy", "rollback")
        world.site.devices = keep
        assert world.station(device) == "quarantined"
    assert "revoked" in causes(world, device)


def test_an_unconfirmed_policy_ends_and_nobody_waits_for_a_look(world):
    """Who comes back is in quarantine until it was looked up, which is a moment."""
    device = world.site.devices[1]
    keep = world.site.devices
    world.site.devices = [d for d in keep if d is not device]
    world.site.write()
    world.cordon.ctl("policy", "apply", "--confirm", "60s")
    world.cordon.ctl("policy", "rollback")
    world.site.devices = keep
    world.site.write()
    world.wait_station(device, "enforced", timeout=5)
    assert world.delivered(device, world.lab.server, 4, 5000) == 4


def test_a_serial_is_revoked_before_a_device_has_it(world):
    """An operator's word: the newcomer with that certificate starts in quarantine, until it is lifted."""
    device = next(d for d in world.lab.of_kind("sensor") if d not in world.site.devices)
    name = world.site.authority[0]
    world.cordon.ctl("device", "revoke", "--serial", device.serial, "--authority", name, "--reason", "keyCompromise")
    with knocking(world, device):
        enroll(world, device)
        assert world.station(device) == "quarantined"
    world.cordon.stop()
    world.cordon.start()
    assert world.station(device) == "quarantined"
    world.cordon.ctl("device", "unrevoke", "--serial", device.serial, "--authority", name)
    assert world.station(device) == "enforced"
    assert world.delivered(device, world.lab.server, 4, 5000) == 4


def test_a_serial_is_revoked_for_a_while(world):
    """Who has it now is cut at once; the end is an operator's."""
    device = world.site.devices[1]
    until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.cordon.ctl("device", "revoke", "--serial", device.serial, "--authority", world.site.authority[0],
                     "--reason", "superseded", "--until", until)
    assert world.station(device) == "quarantined"
    assert world.refused(device, world.lab.server, 4, 5000)
    world.wait_station(device, "enforced", timeout=6)
