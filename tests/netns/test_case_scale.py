# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 83, 84 and 93 of doc/revocation.md: large CRLs, many authorities, and a whole fleet at once."""
import os
import socket
import threading
import time

import pytest

from cases import Cases, make_case_world
from lab.crl import entry, tlv
from lab.topology import wait_for

pytestmark = pytest.mark.once

FLEET = 100000


def strangers(n):
    """So many entries with serials of sixteen octets that nobody of ours has, quickly made."""
    shape = entry(int.from_bytes(b"\x71" + bytes(15), "big"))
    at = shape.index(b"\x02\x10\x71") + 3
    head, tail, noise = shape[:at], shape[at + 15:], os.urandom(15 * n)
    return b"".join(head + noise[i:i + 15] + tail for i in range(0, 15 * n, 15))


# ---- 93 ----------------------------------------------------------------------------

FLEET_CASES = Cases(appliance=(), csv=True)
A93 = FLEET_CASES.authority("c93", devices=FLEET)


@pytest.fixture(scope="module")
def fleet(make_world):
    return make_case_world(make_world, FLEET_CASES)


def some():
    return range(0, FLEET, FLEET // 40)


def test_93_a_whole_fleet(fleet):
    """At the brake's default it waits; confirmed, it is one transaction: nobody sees a part of it."""
    w = fleet
    whole = A93.ca.crl(*(entry(d.serial) for d in A93.devices))
    w.put("c93.crl", whole)
    w.refresh(A93)
    wait_for("it to wait", lambda: w.status()["pending"] == FLEET, 60, 0.5)
    w.expect(A93, free=some())
    before = w.cordon.generation()
    w.cordon.ctl("pending", "confirm", "--all")
    w.expect(A93, cut=some())
    assert w.cordon.generation() - before <= 2      # one transaction, and its second look
    assert w.status()["quarantined"] == FLEET


# ---- 83 ----------------------------------------------------------------------------

LARGE_CASES = Cases()
A83 = LARGE_CASES.authority("c83", devices=3, crl='{ url = "file://{folder}/{name}.crl"; max_size = "256M"; }')
A84 = [LARGE_CASES.authority(f"c84-{i}", devices=1) for i in range(200)]
DRIPPING = [LARGE_CASES.authority(f"c84-slow-{i}", devices=1, crl='"http://{web}:8081/drip"') for i in range(50)]


@pytest.fixture(scope="module")
def large(make_world):
    return make_case_world(make_world, LARGE_CASES)


def resident(w, name):
    with open(f"/proc/{w.cordon.pids()[name]}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))


@pytest.mark.parametrize("number, n", [(2, 1000000), (3, 5000000)], ids=["1M", "5M"])
def test_83_large(large, number, n):
    """Memory does not grow with the CRL."""
    w = large
    if number == 2:
        w.publish(A83, A83.ca.crl(entry(5), number=1))
    before = resident(w, "cordon-pki")
    w.put("c83.crl", A83.ca.crl(strangers(n), entry(A83.serial(number - 2)), number=number))
    w.refresh(A83)
    wait_for("it to be read", lambda: w.sources(A83)[0]["entries"] == n + 1, 60, 0.5)
    w.expect(A83, cut=range(number - 1), free=range(number - 1, 3))
    assert resident(w, "cordon-pki") - before <= 1024


def drip(w, port):
    """A server that sends an octet a second to everybody who asks."""
    server = w.lab.web.ns.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((w.lab.web.ip4, port))
    server.listen(128)
    over, asked = threading.Event(), []

    def one(s):
        asked.append(time.monotonic())
        try:
            s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.wait(1):
                s.sendall(tlv(5)[:1])
        except OSError:
            pass
        s.close()

    def accept():
        while not over.is_set():
            try:
                s, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(s,), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()

    def close():
        over.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    return asked, close


def test_84_many_authorities_and_slow_ones(large):
    """Two hundred authorities of five thousand entries are read while fifty sources drip."""
    w = large
    asked, close = drip(w, 8081)
    try:
        many = strangers(5000)
        for a in DRIPPING:
            w.cordon.try_ctl("crl", "refresh", a.name)
        wait_for("somebody to wait for the slow ones", lambda: asked, 20)
        begin = time.monotonic()
        for a in A84:
            w.put(f"{a.name}.crl", a.ca.crl(many, entry(a.serial(0))))
        wait_for("all of them to be read", lambda: not w.through(*(a.devices[0] for a in A84)), 60, 0.5)
        took = time.monotonic() - begin
        one = A84[0]
        begin = time.monotonic()
        w.put(f"{one.name}.crl", one.ca.crl(many, number=2))
        wait_for("one more", lambda: int(w.sources(one)[0]["number"], 16) == 2, 20, 0.05)
        alone = time.monotonic() - begin
        w.expect(DRIPPING[0], free=[0])
        print(f"200 in {took:.1f} s, one more in {alone:.2f} s, {len(asked)} slow ones were asked")
    finally:
        close()
