# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon-flow alone: the kernel's own NFLOG records and counters become rows.
The rules here are small and the test's own; those of cordon have their tests elsewhere."""
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import tempfile
import time

import pytest

from flow_driver import AUDITED, QUARANTINED, Flow, nflog_socket
from lab import netns, packets
from lab.netns import Namespace
from lab.packets import Wire

pytestmark = pytest.mark.once

LANDLOCK_CREATE_RULESET = 444   # the same number on every architecture
ROUTER, OUTSIDE = "cordon-flow-r", "cordon-flow-d"
MAC = "02:00:00:00:00:%02x"
SERVER4, SERVER6 = "192.0.2.2", "fd20::2"
DEVICES = [("sensor-a", 0x11, "10.10.0.11", "lan0"), ("sensor-b", 0x12, "10.10.0.12", "-"),
           ("sensor-c", 0x13, "fd10::13", "-")]

RULES = """
table inet test
delete table inet test
table inet test {
  map id4 { type ether_addr . ipv4_addr . ifname : mark; elements = {
    02:00:00:00:00:11 . 10.10.0.11 . "lan0" : 0x101,
    02:00:00:00:00:12 . 10.10.0.12 . "lan0" : 0x201, 02:00:00:00:00:12 . 10.10.0.12 . "lan1" : 0x201 } }
  map id6 { type ether_addr . ipv6_addr : mark; elements = { 02:00:00:00:00:13 . fd10::13 : 0x301 } }
  set refused4 { type mark . ipv4_addr . ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic,timeout; timeout 15m; counter; }
  set refused6 { type mark . ipv6_addr . ipv6_addr . inet_proto . inet_service; size 65535; flags dynamic,timeout; timeout 15m; counter; }
  set refused4_portless { type mark . ipv4_addr . ipv4_addr . inet_proto; size 65535; flags dynamic,timeout; timeout 15m; counter; }
  set stranger4 { type ether_addr . ipv4_addr . ipv4_addr . inet_proto . inet_service; size 65535; flags dynamic,timeout; timeout 15m; counter; }
  chain stranger {
    ether saddr . ip saddr . ip daddr . meta l4proto . th dport @stranger4 drop
    add @stranger4 { ether saddr . ip saddr . ip daddr . meta l4proto . th dport } log group 40
    drop
  }
  chain refused {
    meta mark 0 goto stranger
    meta l4proto icmp add @refused4_portless { meta mark . ip saddr . ip daddr . meta l4proto } log group 40 drop
    meta mark . ip saddr . ip daddr . meta l4proto . th dport @refused4 drop
    meta mark . ip6 saddr . ip6 daddr . meta l4proto . th dport @refused6 drop
    add @refused4 { meta mark . ip saddr . ip daddr . meta l4proto . th dport } log group 40 drop
    add @refused6 { meta mark . ip6 saddr . ip6 daddr . meta l4proto . th dport } log group 40 drop
    drop
  }
  chain who {
    meta mark set 0
    meta mark set ether saddr . ip saddr . iifname map @id4
    meta mark set ether saddr . ip6 saddr map @id6
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    jump who
    udp dport 7 log group 40 drop
    udp dport 443 log group 42 drop
    goto refused
  }
  chain input {
    type filter hook input priority 0; policy accept;
    udp dport 5353 jump who
    udp dport 5353 goto refused
  }
}
"""


@pytest.fixture(scope="module")
def net():
    """A router with lan0, lan1 and a bridge of two ports; at their other ends one namespace."""
    netns.remove([ROUTER, OUTSIDE])
    netns.add([ROUTER, OUTSIDE])
    router, outside = Namespace(ROUTER), Namespace(OUTSIDE)
    try:
        router.ip("link set lo up", f"link add wan0 type veth peer name wan0 netns {OUTSIDE}", "link set wan0 up",
                  "addr add 192.0.2.1/24 dev wan0", "addr add fd20::1/64 dev wan0 nodad",
                  "neigh add 192.0.2.2 lladdr 02:00:00:00:ff:02 dev wan0",
                  "neigh add fd20::2 lladdr 02:00:00:00:ff:02 dev wan0",
                  "link add br0 type bridge", "link set br0 up",
                  *(f"link add {name} type veth peer name {name} netns {OUTSIDE}"
                    for name in ("lan0", "lan1", "port0", "port1")),
                  "link set port0 master br0", "link set port1 master br0",
                  *(f"link set {name} up" for name in ("lan0", "lan1", "port0", "port1")),
                  "addr add 10.10.0.1/24 dev lan0", "addr add fd10::1/64 dev lan0 nodad")
        outside.ip("link set lo up", *(f"link set {name} up" for name in ("wan0", "lan0", "lan1", "port0", "port1")))
        router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                      net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__lan0__rp_filter=0,
                      net__ipv4__conf__lan1__rp_filter=0)
        yield Net(router, outside)
    finally:
        router.close()
        outside.close()
        netns.remove([ROUTER, OUTSIDE])


class Net:
    def __init__(self, router, outside):
        self.router, self.outside = router, outside
        self.macs = {name: router.mac(name)
                     for name in ("lan0", "lan1")}

    def send(self, port, mac, src, dst, dport, count=1, sport=40000, payload=b"x" * 22):
        wire = Wire(self.outside, port)
        frame = packets.udp_frame(MAC % mac, self.macs[port], src, dst, sport, dport, payload)
        wire.send(*[frame] * count)
        wire.close()

    def send_frames(self, port, *frames):
        wire = Wire(self.outside, port)
        wire.send(*frames)
        wire.close()


@pytest.fixture
def flow(net):
    net.router.nft(RULES)
    made = Flow(net.router, DEVICES)
    try:
        yield made.start()
    finally:
        made.close()


def test_a_flood_is_one_row(net, flow):
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 23, count=5000)
    row = flow.wait_rows("port = 23 AND packets >= 5000")[0]
    assert flow.flush()["lost"] == 0
    assert (row["packets"], row["bytes"]) == (5000, 5000 * 50)
    assert (row["device_name"], row["class_name"], row["identity"]) == ("sensor-a", "sensor", "proved")
    assert (row["reason"], row["verdict"], row["hook"]) == ("not-allowed", "refused", "forward")
    assert (row["source"], row["destination"], row["protocol"]) == ("10.10.0.11", SERVER4, 17)
    assert (row["interface"], row["mac"], row["family"]) == ("lan0", MAC % 0x11, 4)
    assert row["state"] == "open"
    assert row["revision"] == 1
    assert abs(row["first_ms"] / 1000 - time.time()) < 60
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 23, count=7)
    flow.wait_rows("port = 23 AND packets >= 5007")
    flow.dump(final=True)
    flow.flush()
    rows = flow.rows()
    assert len(rows) == 1
    assert (rows[0]["state"], rows[0]["packets"]) == ("final", 5007)


def test_ipv6_alike(net, flow):
    net.send("lan0", 0x13, "fd10::13", SERVER6, 23, count=300)
    row = flow.wait_rows("port = 23 AND packets >= 300")[0]
    assert (row["packets"], row["bytes"], row["family"]) == (300, 300 * 70, 6)
    assert (row["device_name"], row["reason"]) == ("sensor-c", "not-allowed")
    assert (row["source"], row["destination"]) == ("fd10::13", SERVER6)


def test_icmp_has_its_type(net, flow):
    frame = packets.icmp_frame(MAC % 0x11, net.macs["lan0"], "10.10.0.11", SERVER4)
    net.send_frames("lan0", frame, frame, frame)
    row = flow.wait_rows("protocol = 1 AND packets >= 3")[0]
    assert (row["icmp_type"], row["port"], row["packets"]) == (8, 0, 3)


def test_a_service_of_the_appliance(net, flow):
    net.send("lan0", 0x11, "10.10.0.11", "10.10.0.1", 5353)
    row = flow.wait_rows("port = 5353")[0]
    assert (row["reason"], row["hook"]) == ("service", "input")


def test_strangers(net, flow):
    for port, mac, source, dport in (("lan0", 0x11, "10.10.0.77", 1001), ("lan0", 0x99, "10.10.0.11", 1002),
                                     ("lan1", 0x11, "10.10.0.11", 1003), ("lan0", 0x99, "10.10.0.77", 1004),
                                     ("lan0", 0x11, "10.10.0.12", 1005)):
        net.send(port, mac, source, SERVER4, dport, count=2)
    flow.wait_rows("packets = 2", n=5)
    got = {r["port"]: (r["reason"], r["identity"], r["device_name"], r["detail"]) for r in flow.rows()}
    assert got == {
        1001: ("wrong-address", "claimed", "sensor-a", ""),
        1002: ("wrong-mac", "claimed", "sensor-a", ""),
        1003: ("wrong-port", "claimed", "sensor-a", "declared on lan0"),
        1004: ("unknown-device", "none", "", ""),
        1005: ("wrong-address", "claimed", "sensor-a", "address of sensor-b"),
    }
    assert all(r["mark"] == 0 and r["packets"] == 2 for r in flow.rows())


def test_stations_of_their_time(net, flow):
    net.send("lan0", 0x12, "10.10.0.12", SERVER4, 2001)
    flow.wait_rows("port = 2001")
    flow.station(0x202, QUARANTINED)
    for mark in (0x202, 0x203):
        net.router.nft("delete element inet test id4 { 02:00:00:00:00:12 . 10.10.0.12 . lan0 }\n"
                       f"add element inet test id4 {{ 02:00:00:00:00:12 . 10.10.0.12 . lan0 : {mark:#x} }}")
        net.send("lan0", 0x12, "10.10.0.12", SERVER4, 2000 + (mark & 0xff))
    flow.station(0x203, AUDITED)
    flow.image(2)
    flow.wait_rows("mark = 0x203")
    got = [(r["port"], r["reason"], r["verdict"]) for r in flow.rows()]
    assert got == [(2001, "not-allowed", "refused"), (2002, "quarantined", "refused"),
                   (2003, "not-allowed", "audited")]
    assert flow.rows("port = 2001")[0]["revision"] == 1


def test_lost_records_are_counted(net):
    """The reader sleeps while more comes than its socket holds; the counts stay exact."""
    net.router.nft(RULES)
    flow = Flow(net.router, DEVICES, socket_=nflog_socket(net.router, receive_buffer=4096))
    try:
        flow.start()
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 7)
        assert flow.wait_rows("port = 7")
        assert flow.flush()["lost"] == 0
        pid = pid_of(flow)
        os.kill(pid, signal.SIGSTOP)
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 7, count=500)
        os.kill(pid, signal.SIGCONT)
        flow.flush()
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 7)
        end = time.monotonic() + 5
        while flow.flush()["lost"] == 0 and time.monotonic() < end:
            pass
        # this rule counts nothing, so what was seen is all that is known
        assert flow.flush()["lost"] + flow.rows("port = 7")[0]["packets"] == 502
        assert flow.flush()["lost"] > 100
    finally:
        flow.close()


def test_an_overrun_is_no_end(net):
    """Without NETLINK_NO_ENOBUFS the socket reports an error; it is one of many things to count."""
    net.router.nft(RULES)
    flow = Flow(net.router, DEVICES,
                socket_=nflog_socket(net.router, receive_buffer=4096, no_enobufs=False))
    try:
        flow.start()
        pid = pid_of(flow)
        os.kill(pid, signal.SIGSTOP)
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 7, count=500)
        os.kill(pid, signal.SIGCONT)
        assert flow.flush()["lost"] >= 1        # an overrun alone tells at least of one
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 7)
        end = time.monotonic() + 5
        while flow.flush()["lost"] < 100 and time.monotonic() < end:
            pass
        assert flow.flush()["lost"] + flow.rows("port = 7")[0]["packets"] == 501
    finally:
        flow.close()


def pid_of(flow):
    """ip, setpriv and bash each became the next: one process to the end."""
    with open(f"/proc/{flow.process.pid}/comm", encoding="ascii") as f:
        assert f.read().strip() == "cordon-flow"
    return flow.process.pid


def test_killed_and_started_again(net, flow):
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 23, count=10)
    before = flow.wait_rows("port = 23 AND packets >= 10")[0]
    os.kill(pid_of(flow), signal.SIGKILL)
    assert flow.end() == -signal.SIGKILL
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 23, count=10)
    flow.start(revision=2)
    rows = flow.wait_rows("port = 23 AND packets >= 20")
    assert [(r["id"], r["packets"], r["revision"], r["first_ms"]) for r in rows] == [
        (before["id"], 20, 1, before["first_ms"])]
    assert len(flow.rows()) == 1


def test_the_end_of_cordond_loses_nothing(net, flow):
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 23)
    assert flow.end() == 0, flow.log_text()
    assert [r["port"] for r in flow.rows()] == [23]


def test_a_full_disk(net):
    net.router.nft(RULES)
    disk = tempfile.mkdtemp(prefix="cordon-flow-disk-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0750", "tmpfs", disk], check=True)
    flow = Flow(net.router, DEVICES, folder=disk)
    try:
        flow.start()
        net.send("lan0", 0x11, "10.10.0.11", SERVER4, 99)
        assert flow.wait_rows("port = 99")
        ballast = os.open(os.path.join(disk, "ballast"), os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while os.write(ballast, b"x" * 4096):
                pass
        os.close(ballast)
        net.send_frames("lan0", *(packets.udp_frame(MAC % 0x11, net.macs["lan0"], "10.10.0.11", SERVER4,
                                                    40000, 1000 + i) for i in range(1500)))
        flow.dump()
        assert flow.flush()["error"] != 0
        assert len(flow.rows()) == 1
        os.unlink(os.path.join(disk, "ballast"))
        rows = flow.wait_rows("port >= 1000", n=1500)
        assert len(rows) == 1500
        assert flow.flush()["error"] == 0
        assert len({r["port"] for r in rows}) == 1500
        assert flow.flush()["attempts"] == 1501
    finally:
        flow.close()
        subprocess.run(["umount", disk], check=True)
        os.rmdir(disk)


def test_one_identity_at_two_places(net, flow):
    """sensor-b is bound to no port: here, there and here again; group 42 tells of new connections."""
    for port in ("lan0", "lan1"):
        net.send(port, 0x12, "10.10.0.12", SERVER4, 443)
    assert flow.flush()["clones"] == 0      # it may have moved
    net.send("lan0", 0x12, "10.10.0.12", SERVER4, 443)
    row = flow.wait_rows("reason = 'clone'")[0]
    assert (row["device_name"], row["detail"], row["source"]) == ("sensor-b", "on lan0 and lan1", "10.10.0.12")
    assert flow.flush()["clones"] == 1


def test_a_stranger_at_another_port(net, flow):
    net.send("lan0", 0x11, "10.10.0.11", SERVER4, 443)
    net.send("lan1", 0x11, "10.10.0.11", SERVER4, 1003)
    rows = flow.wait_rows("reason = 'clone'")
    assert [(r["device_name"], r["detail"]) for r in rows] == [("sensor-a", "on lan0 and lan1")]
    assert [r["reason"] for r in flow.rows("port = 1003")] == ["wrong-port"]


def test_a_bridge_sees_a_clone(net, flow):
    """Two ports of a bridge learn one MAC in turns."""
    frame = packets.udp_frame(MAC % 0x12, "02:00:00:00:ee:ee", "10.10.0.12", "10.10.0.200", 1, 2, b"")
    for port in ("port0", "port1", "port0"):
        net.send_frames(port, frame)
        time.sleep(0.05)        # the bridge looks at its clock in ticks
    row = flow.wait_rows("reason = 'clone'")[0]
    assert row["device_name"] == "sensor-b"
    assert re.fullmatch(r"on port[01] and port[01]", row["detail"])


def test_what_it_may_do(flow):
    """No capability, no new privileges, a filter, its own user, and Landlock where the kernel has it."""
    with open(f"/proc/{pid_of(flow)}/status", encoding="ascii") as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert set(status["CapEff"] + status["CapPrm"] + status["CapInh"] + status["CapAmb"]) == {"0"}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split()[0] != "0"
    has_landlock = ctypes.CDLL(None).syscall(LANDLOCK_CREATE_RULESET, None, 0, 1) > 0
    assert flow.landlocked == has_landlock


def test_nonsense_ends_it(flow):
    """It breaks off rather than guess; cordond starts it again."""
    flow.send("FLOW_STATION", b"\x11\0\0\0" * 4)
    assert flow.process.wait(10) == 1
    assert "refused" in flow.log_text()
    flow.end()


def test_idle_when_nothing_comes(flow):
    """Awake for a moment now and then, for the interfaces' sake."""
    def running_ns():
        with open(f"/proc/{pid_of(flow)}/schedstat", encoding="ascii") as f:
            return int(f.read().split()[0])

    flow.flush()
    before = running_ns()
    time.sleep(1)
    assert running_ns() - before < 10_000_000
