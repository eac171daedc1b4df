# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab itself: without cordon everything passes, and the counters see it.

These are the controls: "nothing arrived" means something only where what is
sent would be seen if it did arrive."""
import time

import pytest

from lab import packets
from lab.topology import Lab, exists_any, sweep, wait_for
from lab.traffic import Flow, Reflector, Steady, ping, tcp_works, udp_answers

pytestmark = pytest.mark.once

KINDS = [("sensor", 2)]
SHARED = [("sensor", 2)]


@pytest.fixture(scope="module")
def open_lab():
    with Lab(kinds=KINDS, shared=SHARED) as lab:
        reflector = Reflector()
        reflector.tcp(lab.server, 5000)
        reflector.udp(lab.server, 5000)
        lab.reflector = reflector
        yield lab
        reflector.close()


@pytest.mark.vm
def test_open_router_forwards(open_lab, family):
    for device in open_lab.devices:
        address = open_lab.server.address(family)
        assert tcp_works(device, address, 5000)
        assert udp_answers(device, address, 5000, n=5) == 5
        assert ping(device, address) == 3


def test_raw_frames_are_seen(open_lab, family):
    """Forged frames get through a router without cordon, so a test that sees none proves something."""
    device, server = open_lab.devices[0], open_lab.server
    source = "10.10.77.7" if family == 4 else "fd10::7777"
    wire, far = packets.Wire(device.ns), packets.Wire(server.ns, receive=True)
    mac = open_lab.router_mac[device.port]
    wire.send(packets.udp_frame("02:de:ad:00:00:01", mac, source, server.address(family), 1, 5000, b"forged/1 "),
              packets.tcp_frame("02:de:ad:00:00:01", mac, source, server.address(family), 1, 5000,
                                payload=b"forged/2 "),
              packets.icmp_frame("02:de:ad:00:00:01", mac, source, server.address(family), payload=b"forged/3 "))
    time.sleep(0.2)
    for one in (b"forged/1", b"forged/2", b"forged/3"):
        assert far.count(one) >= 1
    assert open_lab.reflector.got("forged").count >= 1
    wire.close()
    far.close()


def test_lost_packets_are_counted(open_lab, family):
    """A router that drops for a moment: each missing answer is missed."""
    device = open_lab.devices[0]
    with Steady([Flow(device, open_lab.server.address(family), 5000, "loss")], 0.005) as steady:
        time.sleep(0.2)
        open_lab.router.nft("table inet t {\nchain c {\n"
                            "type filter hook forward priority 0; policy drop;\n}\n}\n")
        time.sleep(0.2)
        open_lab.router.nft("delete table inet t")
        time.sleep(0.2)
        steady.stop()
        flow = steady.flows[0]
        assert 20 <= flow.lost <= 60
        assert len(flow.answered) == flow.sent - flow.lost


def test_nothing_stays_behind():
    with Lab(kinds=KINDS) as lab:
        prefix = lab.prefix
        inside = lab.router.popen(["sleep", "1000"])
        wait_for("it to be inside", lambda: inside.pid in lab.router.pids())
        assert exists_any(prefix)
    assert not exists_any(prefix)
    assert inside.wait(5) != 0
    sweep()
