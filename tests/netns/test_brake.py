# SPDX-License-Identifier: GPL-2.0-or-later
"""More automatic quarantines than the brake allows wait for a person, all of them or none; nobody
loses a packet meanwhile. What a person then says holds: until the CA says something else."""
import datetime
import signal
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from lab.authority import utc_now
from lab.cordon import Failed
from lab.site import CRL_NAME
from lab.topology import wait_for

pytestmark = pytest.mark.once

SOME_DAY = datetime.datetime(2026, 3, 1, 12, 0, 0)
KEY, HOLD, LEFT = x509.ReasonFlags.key_compromise, x509.ReasonFlags.certificate_hold, x509.ReasonFlags.superseded


class Ca:
    """Publishes CRLs as real CAs do: an entry keeps its date and reason."""

    def __init__(self, world):
        self.world = world
        self.entries = {}       # serial -> (reason, date)

    def publish(self):
        ca, now = self.world.ca, utc_now()
        builder = (x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject)
                   .last_update(now - datetime.timedelta(minutes=1)).next_update(now + datetime.timedelta(days=7))
                   .add_extension(x509.CRLNumber(ca._next_number()), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False))
        for serial, (reason, date) in self.entries.items():
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(date)
                .add_extension(x509.CRLReason(reason), critical=False).build())
        crl = builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        self.world.web.publish(CRL_NAME, crl)
        self.world.cordon.ctl("crl", "refresh", "--wait")

    def lists(self, *devices, reason=KEY, date=SOME_DAY):
        self.entries.update({d.serial: (reason, date) for d in devices})
        self.publish()

    def lists_no_more(self, *devices):
        for d in devices:
            del self.entries[d.serial]
        self.publish()


def stations(world):
    shown = world.cordon.ask("device", "list")
    return {d["name"]: d["station"] for d in (shown["devices"] if isinstance(shown, dict) else shown)}


def pending(world):
    done = world.cordon.try_ctl("pending", "list", "--json")
    assert done.returncode in (0, 2), done.stderr
    import json
    return {d["device"] for d in json.loads(done.stdout)["devices"]}


def standing_in(world, station):
    return {name for name, where in stations(world).items() if where == station}


def names(devices):
    return {d.name for d in devices}


@pytest.fixture(scope="module")
def fleet(make_world):
    """At the brake's default."""
    return make_world(kinds=[("sensor", 45)])


@pytest.fixture(scope="module")
def fleet_ca(fleet):
    return Ca(fleet)


def test_a_crl_that_lists_the_fleet_waits_for_a_person(fleet, fleet_ca):
    """40 of 45: shown everywhere, and no device loses a packet; confirmed, all are cut at once."""
    listed, others = fleet.lab.devices[:40], fleet.lab.devices[40:]
    flows = [fleet.flow(d, fleet.lab.server, 4, 5000, f"fleet-{d.name}") for d in fleet.lab.devices]
    before = fleet.cordon.elements("live")
    with fleet.steady(*flows, period=0.05) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in flows))
        fleet_ca.lists(*listed)
        assert pending(fleet) == names(listed)
        time.sleep(0.3)
        steady.stop()
        assert not {f.tag: f.lost for f in flows if f.lost}
    assert fleet.cordon.elements("live") == before
    status = fleet.status()
    assert status["pending"] == 40 and status["quarantined"] == 0 and not status["healthy"]
    assert status["brake"]["used"] == 0
    assert fleet.cordon.device(listed[0].name)["station"] == "enforced"
    # the same CRL again, and the same in a newer one, add nothing
    fleet_ca.publish()
    assert pending(fleet) == names(listed) and fleet.cordon.elements("live") == before
    fleet.cordon.ctl("pending", "confirm", "--all")
    assert standing_in(fleet, "quarantined") == names(listed) and not pending(fleet)
    assert all(fleet.refused(d, fleet.lab.server, 4, 5000) for d in (listed[0], listed[39]))
    assert fleet.delivered(others[0], fleet.lab.server, 4, 5000) == 4
    assert fleet.status()["brake"]["used"] == 0     # a person's word


@pytest.fixture(scope="module")
def world(make_world):
    """A brake of three, and one critical device: the last sensor."""
    world = make_world(kinds=[("sensor", 14), ("camera", 3)], start=False)
    world.site.appliance = ['brake: { devices = 3; within = "1h"; };']
    vital = world.lab.of_kind("camera")[0]
    world.site.identities[vital.name] = (f'mac = "{vital.mac}"; address = [ "{vital.ip4}", "{vital.ip6}" ];\n'
                                         f'    interface = "{vital.port}"; critical = true;')
    world.site.write()
    world.start()
    return world


@pytest.fixture(scope="module")
def ca(world):
    return Ca(world)


@pytest.fixture(scope="module")
def spare(world):
    left = list(world.lab.of_kind("sensor"))
    return lambda n=1: [left.pop() for _ in range(n)]


def test_a_critical_device_waits_and_the_others_go_on(world, ca, spare):
    vital, (other,) = world.lab.of_kind("camera")[0], spare()
    ca.lists(vital, other)
    assert world.station(other) == "quarantined" and world.station(vital) == "enforced"
    assert pending(world) == {vital.name}
    assert world.delivered(vital, world.lab.server, 4, 5000) == 4
    assert world.status()["brake"]["used"] == 1
    world.cordon.ctl("pending", "confirm", vital.name)
    assert world.station(vital) == "quarantined"
    assert world.refused(vital, world.lab.server, 6, 5000)


def test_a_hold_that_waits_goes_when_the_ca_takes_it_back(world, ca, spare):
    held = spare(4)
    ca.lists(*held, reason=HOLD)
    assert pending(world) == names(held)
    ca.lists_no_more(*held[:2])
    wait_for("two to wait no more", lambda: pending(world) == names(held[2:]), 10)
    world.cordon.ctl("pending", "confirm", held[2].name)
    assert world.station(held[2]) == "quarantined" and pending(world) == {held[3].name}
    # in force: the CA takes the hold back, and it goes by itself; a hold that became worse does not
    ca.lists(held[3], reason=KEY)
    ca.lists_no_more(held[2])
    wait_for("the hold to end", lambda: world.station(held[2]) == "enforced", 10)
    assert world.delivered(held[2], world.lab.server, 4, 5000) == 4


def test_dismissed_until_the_ca_says_something_else(world, ca, spare):
    lot = spare(4)
    ca.lists(*lot, reason=LEFT)
    assert names(lot) <= pending(world)
    world.cordon.ctl("pending", "dismiss", *(d.name for d in lot), "--reason", "a mistake of the CA")
    assert not names(lot) & pending(world)
    for _ in range(2):
        ca.publish()
        assert not names(lot) & pending(world)
        assert all(stations(world)[d.name] == "enforced" for d in lot)
    assert world.delivered(lot[0], world.lab.server, 4, 5000) == 4
    ca.lists(lot[0], reason=KEY)        # worse: judged anew, and one is not too many
    wait_for("it to be in quarantine", lambda: world.station(lot[0]) == "quarantined", 10)
    assert all(stations(world)[d.name] == "enforced" for d in lot[1:])


def test_what_waits_survives_a_crash_and_an_apply(world, ca, spare):
    lot = spare(4)
    ca.lists(*lot)
    assert names(lot) <= pending(world)
    used = world.status()["brake"]["used"]
    pid = world.cordon.kill("cordond", signal.SIGKILL)
    wait_for("another cordond", lambda: world.cordon.pids().get("cordond") not in (None, pid), 15, 0.05)
    world.cordon.wait_until_ready()
    assert names(lot) <= pending(world)
    assert world.status()["brake"]["used"] == used > 0
    assert world.delivered(lot[0], world.lab.server, 4, 5000) == 4
    with world.changed() as site:
        site.classes["camera"] = site.classes["camera"] + ['{ to = "192.0.2.77"; tcp = 99; }']
        world.apply()
        assert names(lot) <= pending(world)
    world.cordon.ctl("pending", "dismiss", *(d.name for d in lot), "--reason", "test")


def test_an_operator_overrides_and_the_same_crl_does_not_take_it_back(world, ca):
    """Written down before the kernel: a crash right after it changes nothing."""
    victim = next(d for d in world.lab.of_kind("sensor") if world.station(d) == "quarantined")
    with pytest.raises(Failed):
        world.cordon.ctl("device", "release", victim.name, "--reason", "it is fine")
    world.cordon.ctl("device", "release", victim.name, "--revoked", "--reason", "it is fine")
    assert world.station(victim) == "enforced"
    ca.publish()
    assert world.station(victim) == "enforced"
    pid = world.cordon.kill("cordond", signal.SIGKILL)
    wait_for("another cordond", lambda: world.cordon.pids().get("cordond") not in (None, pid), 15, 0.05)
    world.cordon.wait_until_ready()
    ca.publish()
    assert world.station(victim) == "enforced"
    assert world.delivered(victim, world.lab.server, 4, 5000) == 4


def test_a_quarantine_with_an_end(world, ca):
    device = world.lab.of_kind("camera")[1]
    until = (utc_now() + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    world.cordon.ctl("device", "quarantine", device.name, "--reason", "for a moment", "--until", until)
    assert world.station(device) == "quarantined"
    assert world.refused(device, world.lab.server, 4, 5000)
    world.wait_station(device, "enforced", timeout=6)
    assert world.delivered(device, world.lab.server, 4, 5000) == 4
