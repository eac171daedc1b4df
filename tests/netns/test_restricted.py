# SPDX-License-Identifier: GPL-2.0-or-later
"""`when_stale = "restrict"`: whose authority's CRL is out of date stands in another class,
in everything, until the CRL is fresh again. Nobody else notices."""
import datetime
import json
import time

import pytest

from lab.authority import utc_now
from lab.packets import TCP, UDP
from lab.topology import wait_for

pytestmark = pytest.mark.once

SERVER, OTHER = '("192.0.2.2", "fd20::2")', '("192.0.2.3", "fd20::3")'
RESTRICT = 'when_stale = "restrict"; when_unchecked = "restrict"; restrict_class = "offline"; grace = "0s";'
CLASSES = {
    "sensor": [f'{{ to = {SERVER}; udp = (5000, 5001); tcp = 9000; }}', '{ to = "class:gateway"; udp = 1883; }'],
    "offline": [f'{{ to = {OTHER}; udp = 5000; }}', f'{{ to = {SERVER}; udp = 5001; }}'],
    "elsewhere": [f'{{ to = {SERVER}; udp = 5004; }}'],
    "camera": [f'{{ to = {SERVER}; udp = (5000, 5001); }}'],
    "gateway": ['{ to = "class:sensor"; udp = 554; }', '{ to = "class:offline"; udp = 555; }',
                f'{{ to = {SERVER}; udp = 5000; }}'],
}
FRESH, OLD = 7 * 86400, 1       # seconds from thisUpdate, which is now, to nextUpdate


@pytest.fixture(scope="module")
def world(make_world):
    """Sensors have certificates; cameras and gateways are nobody's to revoke."""
    made = make_world(kinds=(("sensor", 3), ("camera", 1), ("gateway", 1)), start=False)
    made.site.classes = {name: list(rules) for name, rules in CLASSES.items()}
    made.site.authority_words = RESTRICT
    made.site.appliance.append('brake = { devices = 1; within = "1h"; };')
    for device in made.lab.devices:
        if device.kind != "sensor":
            device.serial = ""
    made.site.write()
    made.start()
    publish(made, FRESH)
    return made


def publish(world, seconds):
    """A CRL that is in date for so long, and what becomes of the sensors by it."""
    now = utc_now()
    world.publish(this_update=now, next_update=now + datetime.timedelta(seconds=seconds))
    world.cordon.try_ctl("crl", "refresh")
    for sensor in world.lab.of_kind("sensor"):
        world.wait_station(sensor, "enforced" if seconds == FRESH else "restricted")


@pytest.fixture
def stale(world):
    publish(world, OLD)
    yield world.lab.of_kind("sensor")[0]
    publish(world, FRESH)


def lives_as(world, device, family, name):
    """By packets that come out, or do not: whose rules are these?"""
    lab, rules = world.lab, {"sensor": (True, True, False, False), "offline": (False, True, False, True),
                             "elsewhere": (False, False, True, False)}[name]
    gateway = lab.of_kind("gateway")[0]
    assert world.probe(device, lab.server, family, {
        "server-5000": (UDP, 5000, rules[0]), "server-5001": (UDP, 5001, rules[1]),
        "server-5004": (UDP, 5004, rules[2]), "server-9000": (TCP, 9000, rules[0])}) == set(), name
    assert world.probe(device, lab.other, family, {"other": (UDP, 5000, rules[3])}) == set(), name
    assert world.probe(device, gateway, family, {"gateway": (UDP, 1883, rules[0])}) == set(), name
    assert world.probe(gateway, device, family, {
        "by-554": (UDP, 554, name == "sensor"), "by-555": (UDP, 555, name == "offline")}) == set(), name


def test_in_the_other_class_and_back(world, family):
    sensor, camera = world.lab.of_kind("sensor")[1], world.lab.of_kind("camera")[0]
    lives_as(world, sensor, family, "sensor")
    publish(world, OLD)
    lives_as(world, sensor, family, "offline")
    assert world.probe(camera, world.lab.server, family, {"camera": (UDP, 5000, True)}) == set()
    assert world.station(camera) == "enforced"
    publish(world, FRESH)
    lives_as(world, sensor, family, "sensor")


def test_open_flows(world, family):
    """What the other class does not have ends, what it has loses nothing, and so do all others."""
    lab = world.lab
    sensor, camera, gateway = (lab.of_kind(kind)[0] for kind in ("sensor", "camera", "gateway"))
    ends = world.flow(sensor, lab.server, family, 5000, f"ends{family}")
    lateral = world.flow(sensor, gateway, family, 1883, f"lateral{family}")
    stays = [world.flow(sensor, lab.server, family, 5001, f"stays{family}"),
             *(world.flow(d, lab.server, f, 5000, f"near-{d.name}.{f}.{family}")
               for d in (camera, gateway) for f in (4, 6))]
    with world.steady(ends, lateral, *stays) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in steady.flows))
        publish(world, OLD)
        time.sleep(0.1)
        counts = [world.reflector.got(f.tag).count for f in (ends, lateral)]
        time.sleep(0.4)
        assert [world.reflector.got(f.tag).count for f in (ends, lateral)] == counts
        publish(world, FRESH)
        for flow, count in zip((ends, lateral), counts):
            wait_for(f"{flow.tag} to go on", lambda f=flow, n=count: world.reflector.got(f.tag).count > n + 5)
        steady.stop()
    assert not {f.tag: f.lost for f in stays if f.lost}


def test_quarantine_comes_first(world, stale):
    world.quarantine(stale)
    for family in (4, 6):
        assert world.probe(stale, world.lab.other, family, {"offline": (UDP, 5000, False)}) == set()
        assert world.probe(stale, world.lab.remedy, family, {"remedy": (UDP, 443, True)}) == set()
        assert world.probe(world.lab.of_kind("gateway")[0], stale, family, {"met": (UDP, 555, False)}) == set()
    world.release(stale)
    assert world.station(stale) == "restricted"
    for family in (4, 6):
        lives_as(world, stale, family, "offline")


def test_another_policy(world, stale):
    """Where they stand is changed under them: by the class, and by the authority's word."""
    with world.changed() as site:
        site.classes["offline"] = [CLASSES["offline"][0]]
        world.apply()
        for family in (4, 6):
            assert world.probe(stale, world.lab.server, family, {"tightened": (UDP, 5001, False)}) == set()
        site.classes["offline"] = list(CLASSES["offline"])
        site.authority_words = RESTRICT.replace("offline", "elsewhere")
        world.apply()
        for family in (4, 6):
            lives_as(world, stale, family, "elsewhere")
        assert world.station(stale) == "restricted"
    lives_as(world, stale, 4, "offline")


def test_kept_over_a_start(world, stale):
    before = world.cordon.elements("class_of")
    live = world.cordon.elements("live")
    world.cordon.stop()
    lives_as(world, stale, 6, "offline")
    world.cordon.start()
    assert world.station(stale) == "restricted"
    assert world.cordon.elements("class_of") == before
    assert world.cordon.elements("live") == live
    lives_as(world, stale, 4, "offline")
    assert world.cordon.ask("policy", "verify")["agrees"]


def test_let_through_by_others(world, stale):
    """What another program put into that class's set while nobody was there is taken out again,
    and what a restricted device began by it ends."""
    lab = world.lab
    by_it = world.flow(stale, lab.server, 4, 123, "by-it")
    world.cordon.stop()
    name = next(item["set"]["name"] for item in world.cordon.table()
                if item.get("set", {}).get("name", "").startswith("allow4_") and lab.other.ip4 in str(item["set"]["elem"]))
    lab.router.run(["nft", f"add element inet cordon {name} {{ {lab.server.ip4} . udp . 123 }}"])
    with world.steady(by_it) as steady:
        wait_for("it to talk", lambda: by_it.answered)
        world.cordon.start()
        time.sleep(0.1)
        count = world.reflector.got(by_it.tag).count
        time.sleep(0.3)
        assert world.reflector.got(by_it.tag).count == count
        steady.stop(0)
    lives_as(world, stale, 4, "offline")


def explain(world, device, *argv):
    done = world.cordon.try_ctl("policy", "explain", "--device", device.name, *argv, "--json")
    return json.loads(done.stdout)


def test_explained(world, stale):
    said = explain(world, stale, "--to", "192.0.2.2", "--udp", "5000")
    assert (said["verdict"], said["reason"], said["station"], said["stands_in"]) == \
        ("refused", "no-rule", "restricted", "offline")
    assert "offline" in said["change"]
    said = explain(world, stale, "--to", "192.0.2.3", "--udp", "5000")
    assert said["verdict"] == "allowed" and said["rules"][0]["class"] == "offline"
    gateway = world.lab.of_kind("gateway")[0]
    said = explain(world, gateway, "--to", stale.ip4, "--udp", "554")
    assert said["verdict"] == "refused" and not said["rules"]
