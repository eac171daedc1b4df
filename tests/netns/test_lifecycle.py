# SPDX-License-Identifier: GPL-2.0-or-later
"""Stopping or killing anything leaves enforcement standing; coming back loses no packet."""
import json
import os
import random
import time

import pytest

from lab.netns import LabError
from lab.topology import wait_for

KILLS = int(os.environ.get("CORDON_KILLS", "100"))
SEED = int(os.environ.get("CORDON_SEED", "847"))
VICTIMS = ("cordond", "cordon-flow", "cordon-pki", "cordon-spawn")


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 4), ("camera", 1), ("gateway", 1)])


def traffic(world):
    """Allowed flows that must lose nothing, forbidden ones of which nothing may arrive."""
    lab = world.lab
    allowed, forbidden = [], []
    for d in lab.of_kind("sensor"):
        for family in (4, 6):
            allowed.append(world.flow(d, lab.server, family, 5000, f"ok.{d.name}.{family}"))
            forbidden.append(world.flow(d, lab.other, family, 5000, f"no.{d.name}.{family}"))
            forbidden.append(world.flow(d, lab.server, family, 123, f"no.{d.name}.{family}.port"))
    return allowed, forbidden


def ranges(numbers):
    """3 4 5 9 -> "3-5 9": which moments are missing."""
    out = []
    for n in numbers:
        if out and n == out[-1][1] + 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return " ".join(f"{a}-{b}" if a != b else str(a) for a, b in out)


def check(world, allowed, forbidden):
    wrong = {f.tag: world.reflector.got(f.tag).count for f in forbidden if world.reflector.got(f.tag).count}
    assert not wrong, f"forwarded though forbidden: {wrong}"
    lost = {f.tag: ranges(f.missing()) for f in allowed if f.lost}
    assert not lost, f"lost though allowed: {lost}"
    assert min(f.sent for f in allowed) > 10
    assert min(f.sent for f in forbidden) > 10


@pytest.mark.vm
def test_stopping_leaves_the_rules(world):
    allowed, forbidden = traffic(world)
    with world.steady(*allowed, *forbidden) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in allowed))
        world.cordon.stop()
        time.sleep(1.0)
        assert not world.cordon.pids()
        # new flows, too, are judged by what the daemon left
        late = traffic(world)
        for f in late[0] + late[1]:
            f.tag = "late." + f.tag
        steady.flows += late[0] + late[1]
        time.sleep(0.5)
        world.cordon.start()
        time.sleep(0.5)
        steady.stop()
        check(world, allowed + late[0], forbidden + late[1])


@pytest.mark.vm
@pytest.mark.parametrize("name", VICTIMS)
def test_killing_one(world, name):
    allowed, forbidden = traffic(world)
    with world.steady(*allowed, *forbidden) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in allowed))
        old = world.cordon.kill(name)
        assert old
        bring_back(world, name, old)
        time.sleep(0.3)
        steady.stop()
        check(world, allowed, forbidden)
    assert world.cordon.status()["kernel_agrees"]


def bring_back(world, name, old):
    """Wait until everybody runs again; cordon-spawn has nobody but us to start it."""
    if name == "cordon-spawn":
        world.cordon.reap()
        wait_for("the others to go with cordon-spawn", lambda: not world.cordon.pids(), 10, 0.02)
        world.cordon.start(wait=False)

    def all_run():
        pids = world.cordon.pids()
        if name in pids and pids[name] == old:
            return False
        if not {"cordond", "cordon-flow", "cordon-pki", "cordon-spawn"} <= set(pids):
            return False
        done = world.cordon.try_ctl("status", "--json")
        return done.returncode in (0, 1)
    try:
        wait_for(f"all to run after the death of {name}", all_run, 30, 0.02)
    except LabError as e:
        raise AssertionError(f"{e}\n{world.cordon.log_tail(60)}") from None


def test_kill_at_random_moments(world):
    """kill -9 of each process under traffic; not one wrongly forwarded packet, not one lost."""
    print(f"{KILLS} kills, seed {SEED}")
    rng = random.Random(SEED)
    allowed, forbidden = traffic(world)
    kills = {name: 0 for name in VICTIMS}
    events = []     # number of the packet at that moment, and who was killed
    with world.steady(*allowed, *forbidden) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in allowed))
        while sum(kills.values()) < KILLS:
            time.sleep(rng.random() * 0.15)
            # sometimes in the middle of a change, sometimes several at once
            if rng.random() < 0.2:
                world.cordon.try_ctl("policy", "apply", timeout=30)
            if rng.random() < 0.1:
                world.cordon.try_ctl("crl", "refresh", timeout=30)
            names = rng.sample(VICTIMS, 2 if rng.random() < 0.2 else 1)
            # cordon-spawn's death is the slow one: one kill in eight
            if names == ["cordon-spawn"] and rng.random() < 0.5:
                names = ["cordond"]
            for name in names:
                if world.cordon.kill(name) is None:
                    continue
                kills[name] += 1
                events.append(f"{allowed[0].sent}:{name}")
            if "cordon-spawn" in names:
                bring_back(world, "cordon-spawn", None)
            elif rng.random() < 0.5:
                bring_back(world, names[0], None)
            check_wrong(world, forbidden)
        print(f"killed: {kills}\n{' '.join(events)}")
        bring_back(world, "nobody", None)
        time.sleep(0.3)
        steady.stop()
        report(world, kills, allowed, forbidden)
        check(world, allowed, forbidden)
    assert all(kills.values()), kills
    assert wait_for("the kernel to agree", lambda: world.cordon.status()["kernel_agrees"], 10, 0.1)


def report(world, kills, allowed, forbidden):
    """For bench/kills, which runs this test with more of them."""
    path = os.environ.get("CORDON_KILLS_REPORT")
    if path:
        with open(path, "w", encoding="ascii") as f:
            json.dump({"kills": sum(kills.values()), "sent": sum(f.sent for f in allowed),
                       "lost": sum(f.lost for f in allowed), "forbidden": sum(f.sent for f in forbidden),
                       "wrong": sum(world.reflector.got(f.tag).count for f in forbidden)}, f)


def check_wrong(world, forbidden):
    assert not any(world.reflector.got(f.tag).count for f in forbidden)


def test_back_off(world):
    """A worker that dies at once again and again is not started in a tight loop."""
    start = world.cordon.status()["workers"]["cordon-flow"]["restarts"]
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        world.cordon.kill("cordon-flow")
        time.sleep(0.01)
    restarts = world.cordon.status()["workers"]["cordon-flow"]["restarts"] - start
    assert 1 <= restarts <= 30
    wait_for("cordon-flow to be back", lambda: world.cordon.status()["workers"]["cordon-flow"]["up"], 60, 0.1)


def test_not_running_is_exit_code_3(make_world):
    world = make_world(kinds=[("sensor", 1)], start=False)
    assert world.cordon.try_ctl("status").returncode == 3


def test_usage_is_exit_code_64(world):
    assert world.cordon.try_ctl("device", "frobnicate").returncode == 64


def test_without_a_policy_nothing_is_forwarded(make_world, family):
    """An appliance that never had a policy is closed, not open."""
    world = make_world(kinds=[("sensor", 1)], start=False)
    world.cordon.start()
    device = world.lab.devices[0]
    assert world.refused(device, world.lab.server, family, 5000)
    world.cordon.apply()
    assert world.delivered(device, world.lab.server, family, 5000) == 4
