# SPDX-License-Identifier: GPL-2.0-or-later
"""`rate`: how many connections a device may begin, also towards what it may reach."""
import time

import pytest

from lab import packets
from lab.packets import TCP, UDP

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
PER_SECOND, BURST = 20, 10


@pytest.fixture(scope="module")
def world(make_world):
    made = make_world(kinds=(("sensor", 3), ("gateway", 1)), start=False)
    made.site.classes = {"sensor": [f'{{ to = {SERVER}; udp = (5000, 5002); tcp = 9000; }}',
                                    '{ to = "class:gateway"; udp = 1883; }'],
                         "gateway": [f'{{ to = {SERVER}; udp = 5000; }}']}
    made.site.words["sensor"] = (f"rate = {{ per_second = {PER_SECOND}; burst = {BURST}; }}; "
                                 'inbound = ( { from = ("192.0.2.10", "fd20::10"); udp = 5060; } );')
    made.site.write()
    made.start()
    return made


@pytest.fixture
def sensors(world):
    """With full buckets."""
    time.sleep(BURST / PER_SECOND + 0.05)
    return world.lab.of_kind("sensor")


_next = [10000]


def begin(world, device, n, family=4, to=None, port=5002, proto=UDP, tag="new"):
    """So many frames, each of a connection of its own."""
    to = to or world.lab.server
    source, dst = device.address(family), to.address(family)
    frames = []
    for _ in range(n):
        _next[0] += 1
        text = f"<{tag}>".encode()
        data = (packets.udp(source, dst, _next[0], port, text) if proto == UDP
                else packets.tcp(source, dst, _next[0], port, payload=text))
        frames.append(world.frame(device, to, family, proto, data))
    return frames


def came(world, device, frames, to=None, tag="new", over=0.0):
    """How many came out, and how long sending took; they are spread over that many seconds."""
    with world.arrivals(to or world.lab.server, f"<{tag}>".encode()) as got:
        wire = packets.Wire(device.ns)
        start = time.monotonic()
        try:
            for i, one in enumerate(frames):
                wire.send(one)
                time.sleep(max(0, start + over * (i + 1) / len(frames) - time.monotonic()))
        finally:
            wire.close()
        seconds = time.monotonic() - start
        time.sleep(0.1)
        return got(), seconds


def fits(count, seconds, per_second=PER_SECOND, burst=BURST):
    """What a bucket of tokens lets through."""
    return burst <= count <= burst + per_second * seconds + 1


@pytest.mark.vm
def test_a_burst_and_then_the_rate(world, sensors, family):
    one, other = sensors[:2]
    count, seconds = came(world, one, begin(world, one, 100, family))
    assert fits(count, seconds), (count, seconds)
    # nobody else's bucket is touched
    assert came(world, other, begin(world, other, BURST, family))[0] == BURST
    time.sleep(BURST / PER_SECOND)
    count, seconds = came(world, one, begin(world, one, 80, family), over=1.0)
    assert fits(count, seconds) and count >= BURST + PER_SECOND * seconds - 3, (count, seconds)


@pytest.mark.vm
def test_recorded(world, sensors, family):
    third = sensors[2]
    before = {row["id"]: row["packets"] for row in world.attempts(device=third.name, reason="rate")}
    count, _ = came(world, third, begin(world, third, 60, family, tag="record"), tag="record")
    rows = world.wait_attempts(device=third.name, reason="rate")
    assert sum(row["packets"] for row in rows) - sum(before.values()) == 60 - count
    assert rows[0]["verdict"] == "refused"
    assert not world.attempts(device=sensors[0].name, reason="connection-limit")


def test_one_bucket_for_all_that_a_device_begins(world, sensors):
    """IPv4 and IPv6, TCP and UDP, towards the outside and towards other devices."""
    one, gateway = sensors[0], world.lab.of_kind("gateway")[0]
    spent, seconds = came(world, one, begin(world, one, 40, 4))
    frames = [*begin(world, one, 20, 6), *begin(world, one, 20, 4, port=9000, proto=TCP)]
    more, more_seconds = came(world, one, frames)
    lateral, lateral_seconds = came(world, one, begin(world, one, 20, 4, to=gateway, port=1883), to=gateway)
    # the pauses in between filled it again, slowly
    waited = seconds + more_seconds + lateral_seconds + 2 * (0.1 + 0.15) + 0.3
    assert BURST <= spent + more + lateral <= BURST + PER_SECOND * waited + 1


@pytest.mark.vm
def test_what_is_open_and_what_comes_in_is_not_counted(world, sensors, family):
    one = sensors[0]
    flow = world.flow(one, world.lab.server, family, 5000, f"open-rate{family}")
    with world.steady(flow, period=0.002) as steady:
        time.sleep(0.1)
        assert flow.answered
        came(world, one, begin(world, one, 200, family))
        answers = begin(world, world.lab.mgmt, 50, family, to=one, port=5060, tag="into")
        assert came(world, world.lab.mgmt, answers, to=one, tag="into")[0] == 50
        steady.stop()
        assert flow.lost == 0 and flow.sent > 10


def test_refused_ones_cost_nothing(world, sensors, family):
    """Only what would be admitted takes from the bucket."""
    one = sensors[0]
    came(world, one, begin(world, one, 100, family, to=world.lab.other))
    assert came(world, one, begin(world, one, BURST, family))[0] == BURST


def test_a_changed_rate_holds_at_once(world, sensors, family):
    one = sensors[0]
    with world.changed() as site:
        keep = site.words["sensor"]
        site.words["sensor"] = keep.replace(f"per_second = {PER_SECOND}; burst = {BURST}",
                                            "per_second = 1000; burst = 500")
        world.apply()
        assert came(world, one, begin(world, one, 200, family))[0] == 200
        site.words["sensor"] = keep.replace(f"per_second = {PER_SECOND}; burst = {BURST}", "per_second = 4")
        world.apply()
        count, seconds = came(world, one, begin(world, one, 100, family))
        assert fits(count, seconds, 4, 4), (count, seconds)
        site.words["sensor"] = ""
        world.apply()
        assert came(world, one, begin(world, one, 100, family))[0] == 100


@pytest.mark.vm
def test_audit_lets_all_through_and_records(world, sensors, family):
    one = sensors[1]
    with world.changed() as site:
        site.modes["sensor"] = "audit"
        world.apply()
        assert came(world, one, begin(world, one, 60, family))[0] == 60
        rows = world.wait_attempts(device=one.name, reason="rate", verdict="audited")
        assert 40 <= max(row["packets"] for row in rows)
