# SPDX-License-Identifier: GPL-2.0-or-later
"""Quarantine with a list of the class's own: what it adds, for whom, and that it adds nothing else."""
import time

import pytest

from lab.packets import TCP, UDP
from lab.topology import ROUTER4, ROUTER6, wait_for
from lab.traffic import ping, tcp_works

pytestmark = pytest.mark.once

OTHER = '("192.0.2.3", "fd20::3")'
# In quarantine: for all, remedy (tcp and udp 443); for cameras, other (tcp 443, udp 5000) as well.
CAMERAS_LIST = f"quarantine = ( {{ to = {OTHER}; tcp = 443; udp = 5000; }} );"
NEEDS = {"sensor": '{ to = "class:camera"; udp = 554; }', "camera": '{ to = "class:gateway"; udp = 1883; }'}


@pytest.fixture(scope="module")
def world(make_world):
    made = make_world(kinds=(("sensor", 4), ("camera", 6), ("gateway", 1)), start=False)
    made.site.words["camera"] = CAMERAS_LIST
    for kind, rule in NEEDS.items():
        made.site.classes[kind].append(rule)
    made.site.write()
    made.start()
    return made


@pytest.fixture
def camera(world):
    """One in quarantine, until the test is over."""
    device = world.lab.of_kind("camera")[0]
    world.quarantine(device)
    yield device
    world.release(device)


def outside(world, device, family, remedy, other, server):
    """Does it reach these three, and nothing beside? By packets that come out, or do not."""
    lab = world.lab
    for host, ports in ((lab.remedy, {"remedy-tcp": (TCP, 443, remedy), "remedy-udp": (UDP, 443, remedy),
                                      "remedy-else": (TCP, 80, False), "remedy-5000": (UDP, 5000, False)}),
                        (lab.other, {"other-tcp": (TCP, 443, other), "other-udp": (UDP, 5000, other),
                                     "other-else": (UDP, 443, False)}),
                        (lab.server, {"server-udp": (UDP, 5000, server), "server-else": (UDP, 443, False)})):
        assert world.probe(device, host, family, ports) == set(), f"{device.name} to {ports}"


def test_healthy_devices_do_not_have_the_lists(world, family):
    for kind in ("camera", "sensor"):
        outside(world, world.lab.of_kind(kind)[1], family, remedy=False, other=False, server=True)


def test_a_camera_has_its_list_and_the_common_one(world, family, camera):
    outside(world, camera, family, remedy=True, other=True, server=False)
    for _ in range(3):      # there and back, under a mark that is live
        assert tcp_works(camera, world.lab.remedy.address(family), 443)
    assert world.delivered(camera, world.lab.other, family) == 4
    assert ping(camera, world.lab.other.address(family)) == 0


def test_a_sensor_has_the_common_one_alone(world, family):
    sensor = world.lab.of_kind("sensor")[0]
    world.quarantine(sensor)
    outside(world, sensor, family, remedy=True, other=False, server=False)
    world.release(sensor)
    outside(world, sensor, family, remedy=False, other=False, server=True)


def test_no_other_device_and_nobody_to_it(world, family, camera):
    lab = world.lab
    sensor, gateway, friend = lab.of_kind("sensor")[0], lab.of_kind("gateway")[0], lab.of_kind("camera")[1]
    assert world.probe(sensor, friend, family, {"healthy": (UDP, 554, True)}) == set()
    assert world.probe(sensor, camera, family, {"to-it": (UDP, 554, False)}) == set()
    assert world.probe(friend, gateway, family, {"friend": (UDP, 1883, True)}) == set()
    for port, proto in ((1883, UDP), (443, TCP), (5000, UDP)):
        assert world.probe(camera, gateway, family, {"from-it": (proto, port, False)}) == set()
        assert world.probe(camera, sensor, family, {"from-it": (proto, port, False)}) == set()
        assert world.probe(lab.other, camera, family, {"inbound": (proto, port, False)}) == set()
        assert world.probe(lab.remedy, camera, family, {"inbound": (proto, port, False)}) == set()
    appliance = ROUTER4 if family == 4 else ROUTER6
    assert ping(friend, appliance) == 3
    assert ping(camera, appliance) == 0


def test_open_flows(world, family):
    """What it had open ends, what the list lets begin goes on, and ends with the release."""
    lab, device = world.lab, world.lab.of_kind("camera")[2]
    udp = world.flow(device, lab.server, family, 5000, f"camera-server{family}")
    repair = world.flow(device, lab.other, family, 5000, f"camera-other{family}")
    near = [world.flow(d, lab.server, family, 5000, f"near-{d.name}.{family}") for d in lab.devices[:2]]
    with world.steady(udp, repair, *near) as steady:
        wait_for("them to talk", lambda: all(f.answered for f in (udp, *near)))
        assert not repair.answered
        world.quarantine(device)
        time.sleep(0.1)
        count = world.reflector.got(udp.tag).count
        wait_for("the repair", lambda: len(repair.answered) > 5)
        assert world.reflector.got(udp.tag).count == count
        world.release(device)
        time.sleep(0.1)
        count = world.reflector.got(repair.tag).count
        wait_for("its work to go on", lambda: world.reflector.got(udp.tag).count > 5)
        assert world.reflector.got(repair.tag).count == count
        steady.stop()
    assert not {f.tag: f.lost for f in near if f.lost}


def test_the_list_changes_under_a_quarantine(world, family, camera):
    """It loses what it could reach there: the flow ends, and what stays loses nothing."""
    lab = world.lab
    gone = world.flow(camera, lab.other, family, 5000, f"gone{family}")
    stays = world.flow(camera, lab.remedy, family, 443, f"stays{family}")
    with world.changed() as site, world.steady(gone, stays) as steady:
        wait_for("both to talk", lambda: gone.answered and stays.answered)
        site.words["camera"] = CAMERAS_LIST.replace(" udp = 5000;", "")
        world.apply()
        time.sleep(0.1)
        count = world.reflector.got(gone.tag).count
        time.sleep(0.3)
        assert world.reflector.got(gone.tag).count == count
        assert world.probe(camera, lab.other, family, {"tcp": (TCP, 443, True)}) == set()
        site.words["camera"] = ""
        world.apply()
        assert world.probe(camera, lab.other, family, {"tcp": (TCP, 443, False)}) == set()
        assert world.cordon.device(camera.name)["station"] == "quarantined"
        steady.stop()
        assert stays.lost == 0
    outside(world, camera, family, remedy=True, other=True, server=False)


def test_every_address(world, camera):
    """Whatever address it takes, and whatever it sends from: quarantine is by mark."""
    server = world.lab.server
    for family in (4, 6):
        for claim in (camera.address(family), world.lab.of_kind("camera")[1].address(family)):
            with world.arrivals(server, b"claimed") as got:
                world.send_frames(camera, *world.forged(camera, server.address(family), src=claim, tag=b"claimed"))
                assert got() == 0


def test_kept_over_a_start(world, family, camera):
    world.cordon.stop()
    outside(world, camera, family, remedy=True, other=True, server=False)
    before = world.cordon.elements("class_of")
    world.cordon.start()
    assert world.cordon.elements("class_of") == before
    outside(world, camera, family, remedy=True, other=True, server=False)
    assert world.cordon.ask("policy", "verify")["agrees"]
