# SPDX-License-Identifier: GPL-2.0-or-later
"""The table outlives the daemon, is found again, checked element by element, and put right."""
import time

import pytest

from lab.topology import wait_for


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 3), ("camera", 1), ("gateway", 1)])


def nft(world, *words):
    return world.lab.router.run(["nft", *words], check=False)


def flags(world):
    for item in world.cordon.table():
        if "table" in item:
            return item["table"].get("flags", [])
    return []


@pytest.mark.vm
def test_table_is_owned_where_the_kernel_can(world, request):
    status = world.cordon.status()
    text = nft(world, "list", "table", "inet", "cordon").stdout
    absent = "owner-persist" in request.config.getoption("--force-absent")
    if absent or "owner" not in text.split("{", 2)[1]:
        assert status["table"] != "owner", status["table"]
        assert nft(world, "list", "table", "inet", "cordon").returncode == 0


@pytest.mark.feature("owner-persist")
def test_others_may_not_touch_an_owned_table(world):
    if "own" not in world.cordon.status()["table"]:
        pytest.skip("this kernel has no owner and persist flags: the table is watched instead")
    for words in (("delete", "table", "inet", "cordon"), ("flush", "table", "inet", "cordon"),
                  ("add", "element", "inet", "cordon", "live", "{ 0x12345678 }")):
        assert nft(world, *words).returncode != 0, words
    nft(world, "flush", "ruleset")
    device = world.lab.devices[0]
    assert world.refused(device, world.lab.other, 4, 5000)
    assert world.delivered(device, world.lab.server, 4, 5000) == 4


def test_foreign_flush_is_put_right(world, family):
    """Where nobody owns the table, somebody else's change is seen and taken back."""
    if "own" in world.cordon.status()["table"]:
        pytest.skip("the table is owned: others cannot change it (see the test above)")
    device = world.lab.devices[0]
    before = world.cordon.status()["foreign_changes"]
    for words in (("add", "element", "inet", "cordon", "live", "{ 0x12345678 }"),
                  ("delete", "table", "inet", "cordon"), ("flush", "ruleset"),
                  ("flush", "chain", "inet", "cordon", "forward")):
        assert nft(world, *words).returncode == 0, words
        wait_for(f"{' '.join(words)} to be put right",
                 lambda: world.cordon.status()["kernel_agrees"] and world.cordon.table() is not None, 10, 0.05)
        assert world.refused(device, world.lab.other, family, 5000)
        assert world.delivered(device, world.lab.server, family, 5000) == 4
    assert world.cordon.status()["foreign_changes"] > before


@pytest.mark.vm
def test_adoption_loses_nothing(world, family):
    lab = world.lab
    flows = [world.flow(d, lab.server, family, 5000, f"adopt.{d.name}.{family}") for d in lab.devices]
    with world.steady(*flows, period=0.002) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in flows))
        for _ in range(3):
            world.cordon.stop()
            world.cordon.start()
        steady.stop()
        assert {f.tag: f.lost for f in flows if f.lost} == {}


def test_marks_stay_across_a_restart(world):
    """Open flows carry their marks: a daemon that gave out new ones would cut them."""
    before = {d.name: world.cordon.device(d.name)["mark"] for d in world.lab.devices}
    world.cordon.stop()
    world.cordon.start()
    assert {d.name: world.cordon.device(d.name)["mark"] for d in world.lab.devices} == before


@pytest.mark.vm
def test_changes_made_meanwhile_are_found(world, family):
    """Orphaned, the table can be changed by any root: the new daemon compares before it trusts."""
    device = world.lab.of_kind("sensor")[0]
    text = nft(world, "list", "map", "inet", "cordon", "current").stdout
    assert text
    world.cordon.stop()
    # an extra element that would let a stranger through, and one missing that lets a device through
    mark = 0x00ffff01
    nft(world, "add", "element", "inet", "cordon", "live", f"{{ {mark:#x} }}")
    nft(world, "flush", "set", "inet", "cordon", "live_mac")
    world.cordon.start()
    wait_for("the kernel to agree", lambda: world.cordon.status()["kernel_agrees"], 15, 0.1)
    assert str(mark) not in str(world.cordon.elements("live"))
    assert world.delivered(device, world.lab.server, family, 5000) == 4
    assert world.refused(device, world.lab.other, family, 5000)


def test_a_table_made_by_somebody_else_is_replaced(make_world):
    """A table of our name without our content must not be taken for ours."""
    world = make_world(kinds=[("sensor", 1)], start=False)
    world.lab.router.nft("table inet cordon {\nchain forward {\ntype filter hook forward priority 0; policy accept;\n}\n}\n")
    world.start()
    assert world.refused(world.lab.devices[0], world.lab.other, 4, 5000)
    assert world.delivered(world.lab.devices[0], world.lab.server, 4, 5000) == 4


def test_new_device_while_the_daemon_was_away(world):
    """A configuration that changed meanwhile is not applied by itself: an operator applies."""
    revision = world.cordon.status()["revision"]
    world.cordon.stop()
    world.site.classes["sensor"] += ['{ to = "192.0.2.3"; udp = 5000; }']
    world.site.write()
    try:
        world.cordon.start()
        assert world.cordon.status()["revision"] == revision
        assert world.refused(world.lab.devices[0], world.lab.other, 4, 5000)
        time.sleep(0.1)
    finally:
        del world.site.classes["sensor"][-1]
        world.site.write()
