# SPDX-License-Identifier: GPL-2.0-or-later
"""Who takes the table, changes it for a moment, or fills the kernel's: nothing is open by it, then or later."""
import contextlib
import fcntl
import os
import signal
import socket
import struct
import subprocess
import time

import pytest

from lab.topology import wait_for
from lab.traffic import Flow

BUILD = os.environ.get("CORDON_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))
OUT0 = "02:00:00:ff:00:01"
CONNTRACK_MAX = "/proc/sys/net/netfilter/nf_conntrack_max"


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 4), ("gateway", 1)])


def nft(world, text):
    return world.lab.router.run(["nft", "-f", "-"], input=text, check=False)


def talk(flow, n=3):
    for _ in range(n):
        flow.send()
        time.sleep(0.03)
        flow.receive()


@contextlib.contextmanager
def stopped(world, name):
    """The process stands still for a while."""
    pid = world.cordon.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


# ---- somebody else's table -----------------------------------------------------------------

def claim(ns):
    """Take an orphaned table for oneself, as any root may. The socket, or None when it is owned."""
    def attribute(kind, data):
        return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)

    def message(kind, flags, seq, family, body=b"", resource=0):
        body = struct.pack("=BB", family, 0) + struct.pack("!H", resource) + body
        return struct.pack("=IHHII", 16 + len(body), kind, flags, seq, 0) + body
    table = attribute(1, b"cordon\0") + attribute(2, struct.pack("!I", 6))     # flags owner, persist
    batch = (message(16, 1, 1, 0, resource=10) + message(10 << 8, 1 | 4 | 0x400, 2, 1, table)
             + message(17, 1, 3, 0, resource=10))
    s = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    s.bind((0, 0))
    s.send(batch)
    s.settimeout(1)
    error = struct.unpack("=i", s.recv(4096)[16:20])[0]
    if error == 0:
        return s
    s.close()
    return None


@pytest.mark.feature("owner-persist")
def test_claimed_by_another_program(world, family):
    """While cordond runs nobody can; when it was away it says so, the rules stand, and it comes back."""
    if "own" not in world.cordon.status()["table"]:
        pytest.skip("this kernel has no owner and persist flags")
    device = world.lab.devices[0]
    assert claim(world.lab.router) is None
    with stopped(world, "cordond"):
        assert claim(world.lab.router) is None
    world.cordon.stop()
    thief = claim(world.lab.router)
    assert thief is not None
    world.cordon.start(wait=False)
    try:
        wait_for("cordond to raise the alarm", lambda: "another program owns" in world.cordon.log_tail(8), 10, 0.05)
        assert world.refused(device, world.lab.other, family, 5000)
        assert world.delivered(device, world.lab.server, family, 5000) == 4
    finally:
        thief.close()
    wait_for("cordond to be back", lambda: world.cordon.try_ctl("status").returncode == 0, 20, 0.1)
    assert world.refused(device, world.lab.other, family, 5000)
    world.cordon.stop()
    world.cordon.start()


def test_admitted_under_changed_rules(world, family):
    """Where others can change the table: what they let through ends when it is put right."""
    if "own" in world.cordon.status()["table"]:
        pytest.skip("the table is owned: others cannot change it")
    device = world.lab.devices[1]
    name = f"allow{family}_" + next(item["set"]["name"].split("_")[1] for item in world.cordon.table()
                                    if item.get("set", {}).get("name", "").startswith(f"allow{family}_")
                                    and "8883" in str(item["set"].get("elem")))
    flow = Flow(device, world.lab.server.address(family), 123, f"tampered{family}")
    keep = Flow(device, world.lab.server.address(family), 5000, f"untouched{family}")
    with stopped(world, "cordond"):
        done = nft(world, f"add element inet cordon {name} {{ {world.lab.server.address(family)} . udp . 123 }}")
        assert done.returncode == 0, done.stderr
        talk(flow)
        talk(keep)
        assert len(flow.answered) == 3
    wait_for("it to be put right", lambda: "123" not in str(world.cordon.elements(name)), 10, 0.05)
    time.sleep(0.05)
    count = world.reflector.got(flow.tag).count
    talk(flow)
    talk(keep)
    assert world.reflector.got(flow.tag).count == count
    assert keep.lost == 0
    flow.sock.close()
    keep.sock.close()
    assert world.delivered(device, world.lab.server, family, 5000) == 4


def test_changed_while_nobody_was_there(world, family):
    """The same when cordond was away."""
    device = world.lab.devices[1]
    flow = Flow(device, world.lab.server.address(family), 123, f"away{family}")
    world.cordon.stop()
    sets = [item["set"]["name"] for item in world.cordon.table()
            if item.get("set", {}).get("name", "").startswith(f"allow{family}_")]
    for name in sets:
        nft(world, f"add element inet cordon {name} {{ {world.lab.server.address(family)} . udp . 123 }}")
    talk(flow)
    assert len(flow.answered) == 3
    world.cordon.start()
    count = world.reflector.got(flow.tag).count
    talk(flow)
    assert world.reflector.got(flow.tag).count == count
    flow.sock.close()


# ---- marks that come again ---------------------------------------------------------------------

def test_generations_that_wrap(world, family):
    """A mark that comes again after 255 generations makes no old flow live."""
    device = world.lab.devices[2]
    flow = Flow(device, world.lab.server.address(family), 5004, f"wrap{family}")
    talk(flow)
    assert len(flow.answered) == 3
    shown = world.cordon.device(device.name)
    mark = int(str(shown["mark"]), 0)
    kinds = numbers()
    with world.changed() as site:
        site.classes["sensor"] = [r.replace('udp = (5000, "5004-5010")', "udp = 5000") for r in site.classes["sensor"]]
        world.apply()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(5)
            s.connect(os.path.join(world.cordon.run, "control.sock"))
            # the tightening took two generations; the last of these is in quarantine
            for i in range(253):
                stand(s, kinds["CTL_STAND"], RELEASE if i % 2 else QUARANTINE, mark >> 8)
            assert int(str(world.cordon.device(device.name)["mark"]), 0) == mark
            count = world.reflector.got(flow.tag).count
            talk(flow)
            assert world.reflector.got(flow.tag).count == count
            stand(s, kinds["CTL_STAND"], RELEASE, mark >> 8)
        talk(flow)
        assert world.reflector.got(flow.tag).count == count
        assert world.delivered(device, world.lab.server, family, 5000) == 4
    flow.sock.close()


QUARANTINE, RELEASE = 1, 4      # enum ctl_stand_what


def stand(s, kind, what, number):
    """Quarantine or release a device, and be told that it is in force."""
    body = struct.pack("=IIIIqII20s4x64s200s", what, 1, 0, 0, 0, 0, 0, b"", b"", b"wrap")
    fd = os.memfd_create("numbers", os.MFD_ALLOW_SEALING)
    os.write(fd, struct.pack("=I", number))
    fcntl.fcntl(fd, 1033, 0xf)      # F_ADD_SEALS: all of them
    socket.send_fds(s, [struct.pack("=IIII", kind, 1, len(body), 0) + body], [fd])
    os.close(fd)
    assert struct.unpack("=II", s.recv(1000)[16:24])[0] == 0, what


def numbers():
    path = os.path.join(os.path.dirname(__file__), "../../src/proto/messages.def")
    with open(path, encoding="ascii") as f:
        order = [line[4:].split(",")[0] for line in f if line.startswith("MSG(")]
    return {name: i + 1 for i, name in enumerate(order)}


# ---- a full connection table -----------------------------------------------------------------------

def conntrack_max():
    with open(CONNTRACK_MAX, encoding="ascii") as f:
        return int(f.read())


def test_full_connection_table(world):
    """Somebody outside fills it: open flows go on, nothing forbidden passes, a quarantine still cuts."""
    n = conntrack_max()
    if n > 400000:
        pytest.skip(f"it has room for {n} connections: too many to fill in a test")
    device, victim = world.lab.devices[0], world.lab.devices[3]
    keep = world.flow(device, world.lab.server, 4, 5000, "full-keep")
    cut = world.flow(victim, world.lab.server, 6, 5000, "full-cut")
    lines = "".join(f"{world.lab.mgmt.mac} {OUT0} 192.0.2.{last} 192.0.2.1 {port} 9\n"
                    for last in range(100, 106) for port in range(1024, 65000))
    with world.steady(keep, cut, period=0.01) as steady:
        wait_for("them to talk", lambda: len(keep.answered) > 5 and len(cut.answered) > 5)
        argv = [os.path.join(BUILD, "normal/bench/blast"), "--netns", world.lab.mgmt.ns.path, "--count",
                str(lines.count("\n"))]
        subprocess.run(argv, input=lines, text=True, check=True, stdout=subprocess.PIPE)
        held = int(world.lab.router.run(["conntrack", "-C"]).stdout)
        assert held > 0.9 * n, f"{held} of {n}"
        assert world.refused(device, world.lab.other, 4, 5000)
        assert world.refused(device, world.lab.server, 6, 123)
        world.quarantine(victim)
        time.sleep(0.05)
        count = world.reflector.got("full-cut").count
        time.sleep(0.2)
        assert world.reflector.got("full-cut").count == count
        steady.stop()
        assert keep.lost == 0
    world.lab.router.run(["conntrack", "-F"], check=False)
    world.release(victim)
    assert world.delivered(victim, world.lab.server, 4, 5000) == 4
