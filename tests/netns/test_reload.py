# SPDX-License-Identifier: GPL-2.0-or-later
"""One policy after another under traffic: what stays allowed loses no packet, what is not allowed
passes none. bench/reload runs this with more of them."""
import json
import os
import time

import pytest

from lab.topology import wait_for
from lab.traffic import TcpFlow

pytestmark = pytest.mark.once

RELOADS = int(os.environ.get("CORDON_RELOADS", "100"))
SERVER = '("192.0.2.2", "fd20::2")'
ALWAYS = f"{{ to = {SERVER}; tcp = 8883; }}"
# The first of each keeps udp 5000 open; 5004 is open in two of them; 5099 in none.
VARIANTS = (
    (f"{{ to = {SERVER}; udp = (5000, 5004); }}", ALWAYS),
    (f"{{ to = {SERVER}; udp = 5000; }}", ALWAYS),
    (f"{{ to = {SERVER}; udp = (5000, 5004, \"6000-6100\"); }}", ALWAYS,
     '{ to = ("198.51.100.0/24", "2001:db8:7::/64"); tcp = (80, 443); }'),
    (f"{{ to = {SERVER}; udp = \"4990-5003\"; }}", ALWAYS, '{ to = "class:gateway"; tcp = 1883; }'),
)
OPEN_5004 = (True, False, True, False)


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(classes={kind: list(VARIANTS[0]) for kind in ("sensor", "camera", "gateway")})


def test_reload_under_traffic(world):
    server = world.lab.server
    sensors, cameras = world.lab.of_kind("sensor"), world.lab.of_kind("camera")
    keep = [world.flow(d, server, f, 5000, f"keep{d.name}.{f}") for d in sensors + cameras for f in (4, 6)]
    keep += [TcpFlow(sensors[0], server.address(f), 8883, f"tcp{f}") for f in (4, 6)]
    cut = [world.flow(sensors[0], server, f, 5004, f"cut{f}") for f in (4, 6)]
    never = [world.flow(d, server, f, 5099, f"never{d.name}.{f}") for d in sensors for f in (4, 6)]
    wrong = 0
    with world.steady(*keep, *cut, *never, period=0.002) as steady:
        wait_for("all to talk", lambda: all(f.answered for f in keep + cut))
        for i in range(1, RELOADS + 1):
            which = i % len(VARIANTS)
            world.site.classes["sensor"] = list(VARIANTS[which])
            # another class changes at times, and another than the one that is watched
            world.site.classes["camera"] = list(VARIANTS[0]) + ([ALWAYS] if i % 3 else [])
            done = world.apply()
            assert done["applied"], done
            if not OPEN_5004[which]:
                time.sleep(0.01)        # what had passed the router may not have been read yet
                came = [world.reflector.got(f.tag).count for f in cut]
                time.sleep(0.02)
                wrong += sum(world.reflector.got(f.tag).count for f in cut) - sum(came)
        time.sleep(0.2)
        steady.stop(0.5)
    wrong += sum(world.reflector.got(f.tag).count for f in never)
    path = os.environ.get("CORDON_RELOADS_REPORT")
    if path:
        with open(path, "w", encoding="ascii") as f:
            json.dump({"reloads": RELOADS, "sent": sum(f.sent for f in keep), "lost": sum(f.lost for f in keep),
                       "forbidden": sum(f.sent for f in cut + never), "wrong": wrong}, f)
    assert wrong == 0
    # A packet that another processor judges while the rules are being replaced can find the old rules
    # and the new sets: 4 to 6 of some 150,000 were lost in 1,000 reloads. bench/reload tells the number.
    assert sum(f.lost for f in keep) <= RELOADS // 25, {f.tag: f.missing() for f in keep if f.lost}
    assert all(f.sent > 20 for f in keep)
