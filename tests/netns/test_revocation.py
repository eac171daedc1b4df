# SPDX-License-Identifier: GPL-2.0-or-later
"""A revoked device is cut off at once and whole; nobody else notices; bad CRLs change nothing."""
import datetime
import os
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lab.authority import utc_now
from lab.cordon import Failed
from lab import packets
from lab.site import CRL_NAME
from lab.topology import wait_for
from lab.traffic import TcpFlow, ping, tcp_open, tcp_works, udp_answers

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def world(make_world):
    """Enough devices for each test to spend one."""
    return make_world(kinds=[("sensor", 17), ("camera", 2), ("gateway", 3)])


@pytest.fixture(scope="module")
def spare(world):
    """A fresh device of a kind at each call."""
    left = {kind: list(world.lab.of_kind(kind)) for kind in ("sensor", "camera", "gateway")}

    def take(kind="sensor"):
        return left[kind].pop()
    return take


@pytest.mark.vm
def test_open_flows_are_cut_and_the_others_keep_all(world, spare, family):
    lab, victim = world.lab, spare()
    tcp = TcpFlow(victim, lab.server.address(family), 8883, "victim-tcp")
    udp = world.flow(victim, lab.server, family, 5000, "victim-udp")
    others = [world.flow(d, lab.server, f, 5000, f"{d.name}.{f}.{family}")
              for d in lab.devices if d is not victim and world.station(d) == "enforced" for f in (4, 6)]
    with world.steady(tcp, udp, *others) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in steady.flows))
        world.revoke(victim)
        time.sleep(0.1)
        counts = [world.reflector.got(t).count for t in ("victim-tcp", "victim-udp")]
        answered = [len(f.answered) for f in (tcp, udp)]
        time.sleep(0.5)
        assert [world.reflector.got(t).count for t in ("victim-tcp", "victim-udp")] == counts
        tcp.receive()
        udp.receive()
        assert [len(f.answered) for f in (tcp, udp)] == answered
        steady.stop()
        lost = {f.tag: f.lost for f in others if f.lost}
        assert not lost
        assert min(f.sent for f in others) > 20
    assert world.cordon.device(victim.name)["cause"] is not None


@pytest.mark.vm
def test_quarantined_reaches_remediation_only(world, spare, family):
    lab, victim = world.lab, spare()
    world.revoke(victim)
    for _ in range(6):
        assert tcp_works(victim, lab.remedy.address(family), 443)
    assert udp_answers(victim, lab.remedy.address(family), 443, n=4) == 4
    assert tcp_open(victim, lab.remedy.address(family), 80, timeout=0.3) is None
    assert tcp_open(victim, lab.server.address(family), 8883, timeout=0.3) is None
    assert world.refused(victim, lab.server, family, 5000)
    assert ping(victim, lab.server.address(family)) == 0
    world.wait_attempts(reason="quarantined", device=victim.name)


def test_server_side_cannot_reach_a_quarantined_device(world, spare, family):
    """Both directions: what the server still sends on the open flow stops as well."""
    lab, victim = world.lab, spare()
    flow = world.flow(victim, lab.server, family, 5000, "bothways")
    flow.send()
    time.sleep(0.1)
    flow.receive()
    assert flow.answered
    sport = flow.sock.getsockname()[1]
    world.revoke(victim)
    with world.arrivals(victim, b"from-the-server") as got:
        wire = packets.Wire(lab.server.ns)
        wire.send(*(packets.udp_frame(lab.server.mac, "02:00:00:ff:00:01", lab.server.address(family),
                                      victim.address(family), 5000, sport, b"from-the-server") for _ in range(4)))
        assert got() == 0
        wire.close()


def test_device_to_device_when_the_responder_is_revoked(world, spare, family):
    """The flow carries its originator's mark, so the other end must be asked for."""
    gateway, sensor = spare("gateway") if family == 4 else world.lab.of_kind("gateway")[0], world.lab.of_kind("sensor")[0]
    tcp = TcpFlow(sensor, gateway.address(family), 1883, f"lateral{family}")
    with world.steady(tcp) as steady:
        wait_for("them to talk", lambda: tcp.answered)
        world.revoke(gateway)
        time.sleep(0.1)
        count = world.reflector.got(f"lateral{family}").count
        time.sleep(0.4)
        assert world.reflector.got(f"lateral{family}").count == count
        steady.stop(0)
    assert tcp_open(sensor, gateway.address(family), 1883, timeout=0.3) is None


def test_ping_is_cut(world, spare, family):
    victim = spare()
    assert ping(victim, world.lab.server.address(family)) == 3
    world.revoke(victim)
    assert ping(victim, world.lab.server.address(family)) == 0


def test_only_the_newly_revoked_are_touched(world, spare):
    """A refresh with the same revoked devices changes nothing in the kernel."""
    world.revoke(spare("camera"))
    before = world.cordon.elements("live")
    world.publish()
    world.cordon.ctl("crl", "refresh", "--wait")
    assert world.cordon.elements("live") == before


def test_release_does_not_undo_a_revocation(world):
    victim = next(d for d in world.lab.devices if world.station(d) == "quarantined")
    with pytest.raises(Failed):
        world.cordon.ctl("device", "release", victim.name, "--reason", "over")
    assert world.station(victim) == "quarantined"


@pytest.mark.vm
def test_operator_quarantines_and_releases(world, family):
    lab, device = world.lab, world.lab.of_kind("sensor")[1]
    flow = world.flow(device, lab.server, family, 5000, f"operator{family}")
    with world.steady(flow) as steady:
        wait_for("it to talk", lambda: flow.answered)
        world.quarantine(device, "looks odd")
        assert world.station(device) == "quarantined"
        count = world.reflector.got(flow.tag).count
        time.sleep(0.3)
        assert world.reflector.got(flow.tag).count == count
        world.release(device)
        assert world.station(device) == "enforced"
        answered = len(flow.answered)
        wait_for("the flow to go on", lambda: len(flow.answered) > answered + 5)
        steady.stop(0)


# ---- CRLs that change nothing ---------------------------------------------------------

def day(n):
    return utc_now() + datetime.timedelta(days=n)


def bad_crls(world, serial):
    ca, other = world.ca, ec.generate_private_key(ec.SECP256R1())
    good = ca.crl(serials=ca.revoked() + [serial])
    broken = bytearray(good)
    broken[-5] ^= 0xff
    return {
        "signed by another key": ca.crl(serials=ca.revoked() + [serial], key=other),
        "a broken signature": bytes(broken),
        "truncated": good[:-20],
        "bytes after the end": good + b"\0" * 16,
        "HTML": b"<html><body>404 not found</body></html>",
        "empty": b"",
        "a number that went backwards": ca.crl(number=1, serials=ca.revoked() + [serial]),
    }


BAD = ["signed by another key", "a broken signature", "truncated", "bytes after the end", "HTML", "empty",
       "a number that went backwards"]


@pytest.mark.parametrize("what", BAD)
def test_a_bad_crl_changes_nothing_and_says_so(world, what):
    device = world.lab.of_kind("sensor")[2]
    before = world.cordon.elements("live")
    world.web.publish(CRL_NAME, bad_crls(world, device.serial)[what])
    try:
        world.cordon.try_ctl("crl", "refresh", "--wait")
        source = wait_for("the source to tell an error",
                          lambda: next((s for s in world.cordon.ask("crl", "list")["sources"] if s["error"]), None))
        assert source["error"]
        assert world.station(device) == "enforced"
        assert world.cordon.elements("live") == before
        assert world.delivered(device, world.lab.server, 4, 5000) == 4
    finally:
        world.publish()
        world.cordon.ctl("crl", "refresh", "--wait")
    assert not world.cordon.ask("crl", "list")["sources"][0]["error"]


def test_a_crl_from_the_future_revokes_and_says_so(world, spare):
    """Who signed it can be trusted, its clock cannot: the revocation counts, the date is an error,
    and the next CRL with a sound date is taken as ever."""
    device = spare()
    world.ca.revoke(device.serial)
    world.publish(this_update=day(30), next_update=day(60))
    world.cordon.try_ctl("crl", "refresh", "--wait")
    world.wait_station(device, "quarantined")
    assert world.cordon.ask("crl", "list")["sources"][0]["error"]
    world.publish()
    world.cordon.ctl("crl", "refresh", "--wait")
    assert not world.cordon.ask("crl", "list")["sources"][0]["error"]
    assert world.station(device) == "quarantined"


@pytest.mark.parametrize("status", [404, 500])
def test_a_failing_server_changes_nothing_and_says_so(world, status):
    before = world.cordon.elements("live")
    world.web.fail_with = status
    try:
        world.cordon.try_ctl("crl", "refresh", "--wait")
        source = wait_for("the source to tell an error",
                          lambda: next((s for s in world.cordon.ask("crl", "list")["sources"] if s["error"]), None))
        assert str(status) in str(source)
        assert world.cordon.elements("live") == before
    finally:
        world.web.fail_with = None
        world.cordon.ctl("crl", "refresh", "--wait")


# ---- it stays -------------------------------------------------------------------------------

def test_quarantine_survives_a_restart(world, spare, family):
    victim = spare()
    world.revoke(victim)
    world.cordon.stop()
    assert world.refused(victim, world.lab.server, family, 5000)
    world.cordon.start()
    assert world.station(victim) == "quarantined"
    assert world.refused(victim, world.lab.server, family, 5000)
    assert tcp_works(victim, world.lab.remedy.address(family), 443)


def test_quarantine_survives_a_restart_without_the_ca(world, spare):
    """What was known is enough: the web server is gone when cordon comes back."""
    victim = spare()
    world.revoke(victim)
    world.cordon.stop()
    world.web.fail_with = 503
    try:
        world.cordon.start()
        assert world.station(victim) == "quarantined"
        assert world.refused(victim, world.lab.server, 4, 5000)
    finally:
        world.web.fail_with = None


def test_crl_from_a_file(make_world):
    world = make_world(kinds=[("sensor", 2)], start=False)
    path = os.path.join(world.lab.dir, "www", CRL_NAME)
    name, certificate, _ = world.site.authority
    world.site.authority = (name, certificate, [f"file://{path}"])
    world.site.write()
    world.start()
    world.revoke(world.lab.devices[0])
    assert world.refused(world.lab.devices[0], world.lab.server, 4, 5000)
    assert world.delivered(world.lab.devices[1], world.lab.server, 4, 5000) == 4


def test_fetched_on_schedule(make_world):
    """Nobody asks: the authority's refresh is enough."""
    world = make_world(kinds=[("sensor", 2)], start=False)
    world.site.refresh = "1s"
    world.site.write()
    world.start()
    victim = world.lab.devices[0]
    world.ca.revoke(victim.serial)
    world.publish()
    world.wait_station(victim, "quarantined", timeout=30)
    assert world.refused(victim, world.lab.server, 6, 5000)
