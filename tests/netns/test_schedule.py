# SPDX-License-Identifier: GPL-2.0-or-later
"""`schedule`: the kernel looks at its own clock, for every packet.

The clock is real. A window has whole minutes of its zone's clocks, so the tests that wait for an
edge have a zone whose minutes begin when they want: cordon sees it in place of one that nobody uses."""
import datetime
import math
import os
import signal
import struct
import time

import pytest

from lab import packets
from lab.packets import ICMP, ICMP6, TCP, UDP
from lab.traffic import TcpFlow

pytestmark = pytest.mark.once

SERVER = '("192.0.2.2", "fd20::2")'
ZONE = "Etc/GMT+12"
ZONE_PATH = f"/usr/share/zoneinfo/{ZONE}"
HOUR = 3600
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "udp = 5001;"
LATE = 0.15     # seconds in which what the clock ended has ended


def write_zone(path, offset):
    """A zone that is so many seconds ahead of UTC, always (RFC 9636)."""
    head = b"TZif2" + b"\0" * 15 + struct.pack("!6I", 0, 0, 0, 0, 1, 4)
    body = struct.pack("!iBB", offset, 0, 0) + b"LAB\0"
    with open(path, "wb") as f:
        f.write((head + body) * 2 + b"\n\n")


def shown(at, offset=0):
    """What clocks show so many seconds ahead of UTC."""
    return datetime.datetime.fromtimestamp(at + offset, datetime.timezone.utc).strftime("%H:%M")


def schedule(name, begin, end, zone="UTC", days='"daily"', offset=0):
    return (f'{{ name = "{name}"; days = {days}; from = "{shown(begin, offset)}"; to = "{shown(end, offset)}"; '
            f'zone = "{zone}"; }}')


def schedules(*lines):
    return "schedules = (\n  " + ",\n  ".join(lines) + "\n);\n"


@pytest.fixture(scope="module")
def world(make_world, tmp_path_factory):
    made = make_world(kinds=(("camera", 1), ("gateway", 1)), start=False)
    made.site.classes = {"camera": [f'{{ to = {SERVER}; udp = 5000; }}'],
                         "gateway": [f'{{ to = {SERVER}; udp = 5000; }}']}
    made.site.write()
    made.zone = str(tmp_path_factory.mktemp("zone") / "zone")
    os.chmod(os.path.dirname(made.zone), 0o755)
    write_zone(made.zone, 0)
    made.cordon.around = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                          f'mount --bind "$1" {ZONE_PATH} && shift && exec "$@"', "sh", made.zone]
    made.reflector.udp(made.lab.of_kind("camera")[0], 5060, 5061)
    made.reflector.tcp(made.lab.of_kind("camera")[0], 554)
    made.start()
    return made


@pytest.fixture
def camera(world):
    return world.lab.of_kind("camera")[0]


@pytest.fixture
def gateway(world):
    return world.lab.of_kind("gateway")[0]


def echo(family):
    return (ICMP, 8) if family == 4 else (ICMP6, 128)


# ---- inside and outside -----------------------------------------------------------

INDIA = 5 * HOUR + HOUR // 2


def around_now():
    """Schedules by name, each with whether it is open."""
    now = time.time()
    today = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).weekday()
    near = {DAYS[(today + i) % 7] for i in (-1, 0, 1)}
    near, far = ("[ " + ", ".join(f'"{d}"' for d in DAYS if (d in near) == wanted) + " ]" for wanted in (True, False))
    before, after, later = now - 2 * HOUR, now + 2 * HOUR, now + 4 * HOUR
    midnight = now - now % (24 * HOUR)
    return {
        "now": (True, schedule("now", before, after)),
        "later": (False, schedule("later", after, later)),
        "over": (False, schedule("over", now - 4 * HOUR, before)),
        "all-but-now": (False, schedule("all-but-now", after, before)),         # to is on the next day
        "india": (True, schedule("india", before, after, "Asia/Kolkata", offset=INDIA)),
        "india-not": (False, schedule("india-not", before, after, "Asia/Kolkata")),
        "days": (True, schedule("days", midnight, midnight, days=near)),        # 24 hours
        "other-days": (False, schedule("other-days", midnight, midnight, days=far)),
    }


@pytest.mark.vm
def test_inside_and_outside(world, camera, gateway, family):
    """Out, in, from another class, by port and by ICMP type."""
    lab = world.lab
    cases = around_now()
    with world.changed() as site:
        site.further = schedules(*(line for _, line in cases.values()))
        for i, name in enumerate(cases):
            site.classes["camera"] = [*site.classes["camera"],
                                      f'{{ to = {SERVER}; tcp = {6000 + i}; schedule = "{name}"; }}']
        site.classes["camera"] += [
            f'{{ to = {SERVER}; icmp = 8; icmpv6 = 128; protocol = "gre"; schedule = "now"; }}',
            '{ to = ("192.0.2.3", "fd20::3"); icmp = 8; icmpv6 = 128; protocol = "gre"; schedule = "later"; }',
            '{ to = "class:gateway"; udp = 7000; schedule = "now"; }',
            '{ to = "class:gateway"; udp = 7001; schedule = "later"; }']
        site.words["camera"] = "inbound = ( " + ", ".join(
            [f'{{ from = {SERVER}; tcp = {6000 + i}; schedule = "{name}"; }}' for i, name in enumerate(cases)]
            + ['{ from = "class:gateway"; tcp = 7000; schedule = "now"; }',
               '{ from = "class:gateway"; tcp = 7001; schedule = "later"; }']) + " );"
        world.apply()
        by_port = {name: (TCP, 6000 + i, is_open) for i, (name, (is_open, _)) in enumerate(cases.items())}
        assert not world.probe(camera, lab.server, family, {
            **by_port, "ping": (*echo(family), True), "gre": (packets.GRE, 0, True)})
        assert not world.probe(camera, lab.other, family, {"ping": (*echo(family), False),
                                                           "gre": (packets.GRE, 0, False)})
        assert not world.probe(lab.server, camera, family, by_port)
        assert not world.probe(camera, gateway, family, {"peer": (UDP, 7000, True), "peer-later": (UDP, 7001, False)})
        assert not world.probe(gateway, camera, family, {"from": (TCP, 7000, True), "from-later": (TCP, 7001, False)})
        for name, (_, port, is_open) in by_port.items():
            check_explained(world, camera, family, name, port, is_open)
        world.wait_attempts(device=camera.name, port=by_port["later"][1], reason="not-allowed")


def check_explained(world, camera, family, name, port, is_open):
    """What is said of it agrees, now and at a time when it is the other way round."""
    argv = ("policy", "explain", "--device", camera.name, "--to", world.lab.server.address(family), "--tcp", str(port),
            "--json")
    assert world.cordon.try_ctl(*argv).returncode == (0 if is_open else 2), name
    if name in ("now", "later"):
        at = datetime.datetime.fromtimestamp(time.time() + 3 * HOUR, datetime.timezone.utc)
        done = world.cordon.try_ctl(*argv, "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert done.returncode == (2 if is_open else 0), done.stdout + done.stderr


def test_open_flows_under_a_schedule(world, camera, family):
    """Another tightening costs them nothing; a schedule that closes by a change ends them at once."""
    cases = around_now()
    with world.changed() as site:
        site.further = schedules(cases["now"][1])
        site.classes["camera"] = [f'{{ to = {SERVER}; udp = (5000, 5004); tcp = 22; }}',
                                  f'{{ to = {SERVER}; {CLOSED} schedule = "now"; }}']
        world.apply()
        flow = world.flow(camera, world.lab.server, family, 5001, f"scheduled{family}")
        with world.steady(flow, period=0.003) as steady:
            for port in ("22", "443", "22"):
                site.classes["camera"] = [site.classes["camera"][0].replace("tcp = 22", f"tcp = {port}"),
                                          *site.classes["camera"][1:]]
                world.apply()
            time.sleep(0.1)
            steady.stop()
            assert flow.lost == 0 and flow.sent > 15
        flow = world.flow(camera, world.lab.server, family, 5001, f"closes{family}")
        with world.steady(flow, period=0.003) as steady:
            time.sleep(0.1)
            assert flow.answered
            site.further = schedules(cases["later"][1].replace('"later"', '"now"'))
            world.apply()
            came = world.reflector.got(flow.tag).count
            time.sleep(0.15)
            assert world.reflector.got(flow.tag).count == came
            steady.stop(0)


# ---- edges ------------------------------------------------------------------------

class Edge:
    """A moment at which one schedule closes and another opens."""

    def __init__(self, world, seconds):
        self.at = math.ceil(time.time() + seconds)
        self.monotonic = time.monotonic() + self.at - time.time()
        offset = -self.at % 60
        write_zone(world.zone, offset)
        self.text = schedules(schedule("ends", self.at - 2 * HOUR, self.at, ZONE, offset=offset),
                              schedule("begins", self.at, self.at + 2 * HOUR, ZONE, offset=offset))

    def sleep(self, seconds):
        """Until so long after it (before it, when negative)."""
        time.sleep(max(0, self.monotonic + seconds - time.monotonic()))


def soon(world, site):
    """An edge ahead, applied, with time left to open connections before it."""
    for seconds in (2, 4, 8, 16):
        edge = Edge(world, seconds)
        site.further = edge.text
        world.apply()
        if edge.monotonic - time.monotonic() > 1.2:
            return edge
    raise AssertionError("applying takes too long here")


def flows_at_the_edge(world, camera, gateway):
    """By what becomes of them."""
    lab, ends, begins, both = world.lab, [], [], []
    for f in (4, 6):
        server = lab.server
        ends += [world.flow(camera, server, f, 5001, f"ends-out{f}"),
                 world.flow(lab.mgmt, camera, f, 5060, f"ends-in{f}"),
                 world.flow(camera, gateway, f, 1883, f"ends-peer{f}"),
                 TcpFlow(camera, server.address(f), 8883, f"ends-tcp{f}"),
                 TcpFlow(lab.mgmt, camera.address(f), 554, f"ends-tcp-in{f}")]
        begins += [world.flow(camera, server, f, 123, f"begins-out{f}"),
                   world.flow(lab.mgmt, camera, f, 5061, f"begins-in{f}")]
        both += [world.flow(camera, server, f, 5000, f"both{f}")]
    return ends, begins, both


def test_a_window_ends_and_another_begins(world, camera, gateway):
    """At the second, also for what is open, in both directions, while no process of cordon runs."""
    lab = world.lab
    with world.changed() as site:
        site.classes["camera"] = [
            f'{{ to = {SERVER}; udp = 5000; }}',
            f'{{ to = {SERVER}; udp = "5000-5001"; tcp = 8883; schedule = "ends"; }}',
            '{ to = "class:gateway"; udp = 1883; schedule = "ends"; }',
            f'{{ to = {SERVER}; udp = 123; schedule = "begins"; }}']
        site.words["camera"] = ('inbound = ( { from = ("192.0.2.10", "fd20::10"); tcp = 554; udp = 5060; '
                                'schedule = "ends"; }, '
                                '{ from = ("192.0.2.10", "fd20::10"); udp = 5061; schedule = "begins"; } );')
        edge = soon(world, site)
        ends, begins, both = flows_at_the_edge(world, camera, gateway)
        stopped = [world.cordon.kill(name, signal.SIGSTOP) for name in ("cordon-spawn", "cordond")]
        try:
            assert all(stopped)
            with world.steady(*ends, *begins, *both, period=0.01) as steady:
                edge.sleep(-0.1)
                assert not [flow.tag for flow in begins if world.reflector.got(flow.tag).count]
                edge.sleep(0.4)
                check_what_ended(world, edge, ends)
                check_what_does_not_answer(world, camera, ends)
                steady.stop()
            for flow in begins:
                assert flow.answered, flow.tag
                assert world.reflector.got(flow.tag).first > edge.monotonic - 0.01, flow.tag
            for flow in both:
                assert flow.lost == 0 and flow.sent > 10, flow.tag
            for f in (4, 6):
                assert not world.probe(camera, lab.server, f, {"new": (TCP, 8883, False), "begun": (UDP, 123, True)})
                assert not world.probe(lab.mgmt, camera, f, {"new-in": (TCP, 554, False), "begun-in": (UDP, 5061, True)})
        finally:
            for pid in filter(None, stopped):
                os.kill(pid, signal.SIGCONT)


def check_what_ended(world, edge, ends):
    for flow in ends:
        got = world.reflector.got(flow.tag)
        assert got.count > 20, flow.tag
        assert edge.monotonic - 0.3 < got.last < edge.monotonic + LATE, (flow.tag, got.last - edge.monotonic)
        assert flow.last_answer < edge.monotonic + LATE, flow.tag


def check_what_does_not_answer(world, camera, ends):
    """The far side of an ended flow still sends: that does not come out either."""
    for flow in ends:
        if not flow.tag.startswith("ends-out") and not flow.tag.startswith("ends-in"):
            continue
        family = 6 if flow.tag.endswith("6") else 4
        asked, asking = (world.lab.server, camera) if "out" in flow.tag else (camera, world.lab.mgmt)
        dport, sport = flow.dst[1], flow.sock.getsockname()[1]
        frame = world.frame(asked, asking, family, UDP, packets.udp(
            asked.address(family), asking.address(family), dport, sport, b"<still>"))
        assert world.arrived(asked, asking, {"still": frame}, set()) == set(), flow.tag
