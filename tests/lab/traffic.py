# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that answer, senders that count: every packet is accounted for by name.

A datagram or a line begins with a tag and a number ("dev-0007/42 "), so the
far side knows whose it is and how many came."""
import contextlib
import selectors
import socket
import threading
import time

from .netns import LabError


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Seen:
    """What the far side got under one tag."""

    __slots__ = ("count", "first", "last", "numbers")

    def __init__(self):
        self.count = 0
        self.first = None
        self.last = None
        self.numbers = set()


class Reflector:
    """Answers every datagram and every line with itself, and remembers them."""

    def __init__(self):
        self.seen = {}
        self.answer = True
        self._sel = selectors.DefaultSelector()
        self._wake_r, self._wake_w = socket.socketpair()
        self._sel.register(self._wake_r, selectors.EVENT_READ, None)
        self._new = []
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def tcp(self, host, *ports):
        for address in (host.ip4, host.ip6):
            for port in ports:
                s = host.ns.socket(family_of(address), socket.SOCK_STREAM)
                self._own(s, address, port)
                s.listen(512)
                self._add(s, self._accept)

    def udp(self, host, *ports):
        for address in (host.ip4, host.ip6):
            for port in ports:
                s = host.ns.socket(family_of(address), socket.SOCK_DGRAM)
                self._own(s, address, port)
                with contextlib.suppress(OSError):
                    s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)    # SO_RCVBUFFORCE
                self._add(s, self._datagrams)

    @staticmethod
    def _own(s, address, port):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((address, port))
        s.setblocking(False)

    def _add(self, s, handler):
        self._new.append((s, handler))
        self._wake_w.send(b"x")

    def _run(self):
        while not self._stop:
            for key, _ in self._sel.select():
                if key.data is None:
                    self._wake_r.recv(4096)
                    while self._new:
                        s, handler = self._new.pop(0)
                        self._sel.register(s, selectors.EVENT_READ, handler)
                else:
                    try:
                        key.data(key.fileobj)
                    except (BlockingIOError, InterruptedError):
                        pass
                    except OSError:     # the peer went away: a connection ends, a port stays
                        if key.data == self._lines:
                            self._sel.unregister(key.fileobj)
                            key.fileobj.close()

    def _accept(self, s):
        conn, _ = s.accept()
        conn.setblocking(False)
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sel.register(conn, selectors.EVENT_READ, self._lines)

    def _lines(self, s):
        data = s.recv(65536)
        if not data:
            self._sel.unregister(s)
            s.close()
            return
        for line in data.splitlines():
            self._note(line)
        if self.answer:
            s.send(data)

    def _datagrams(self, s):
        for _ in range(64):
            data, peer = s.recvfrom(2048)
            self._note(data)
            if self.answer:
                s.sendto(data, peer)

    def _note(self, data):
        now = time.monotonic()
        tag, _, rest = data.partition(b"/")
        number = rest.split(b" ", 1)[0]
        one = self.seen.get(tag)
        if one is None:
            one = self.seen[tag] = Seen()
            one.first = now
        one.count += 1
        one.last = now
        if number.isdigit():
            one.numbers.add(int(number))

    def got(self, tag):
        return self.seen.get(tag.encode(), Seen())

    def close(self):
        self._stop = True
        self._wake_w.send(b"x")
        self._thread.join(5)
        for key in list(self._sel.get_map().values()):
            key.fileobj.close()
        self._sel.close()
        self._wake_w.close()


# ---- single tries -----------------------------------------------------------

def _bind_source(s, src, sport):
    if src is not None:
        s.bind((src, sport))


def tcp_open(host, dst, port, src=None, sport=0, timeout=1.5):
    """A connected socket, or None when nothing answered in time."""
    s = host.ns.socket(family_of(dst), socket.SOCK_STREAM)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.settimeout(timeout)
    try:
        _bind_source(s, src, sport)
        s.connect((dst, port))
        return s
    except OSError:
        s.close()
        return None


def tcp_echo(s, text, timeout=1.5):
    """Does a line come back over this connection?"""
    s.settimeout(timeout)
    line = text.encode() + b"\n"
    try:
        s.sendall(line)
        got = b""
        while not got.endswith(b"\n"):
            more = s.recv(4096)
            if not more:
                return False
            got += more
        return got.endswith(line)
    except OSError:
        return False


def tcp_works(host, dst, port, tag="try", **kw):
    s = tcp_open(host, dst, port, **kw)
    if s is None:
        return False
    with s:
        return tcp_echo(s, f"{tag}/1 ", kw.get("timeout", 1.5))


def udp_answers(host, dst, port, n=4, tag="try", src=None, sport=0, patience=0.5, gap=0.002, sock=None):
    """How many of n datagrams come back."""
    s = sock or host.ns.socket(family_of(dst), socket.SOCK_DGRAM)
    got = set()
    try:
        if sock is None:
            _bind_source(s, src, sport)
        for i in range(n):
            with contextlib.suppress(OSError):
                s.sendto(f"{tag}/{i} ".encode(), (dst, port))
            time.sleep(gap)
        deadline = time.monotonic() + patience
        while len(got) < n:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            s.settimeout(left)
            try:
                got.add(s.recv(2048))
            except OSError:
                if time.monotonic() >= deadline:
                    break
    finally:
        if sock is None:
            s.close()
    return len(got)


def ping(host, dst, n=3, patience=0.7):
    """Echo replies to n echo requests."""
    done = host.ns.run(["ping", "-q", f"-c{n}", "-i0.02", f"-w{max(1, round(patience))}", "-W1", dst],
                       check=False)
    for line in done.stdout.splitlines():
        if "received" in line:
            return int(line.split(",")[1].split()[0])
    return 0


# ---- steady traffic ----------------------------------------------------------

class Flow:
    """One UDP conversation: what was sent, what came back, and when."""

    def __init__(self, host, dst, port, tag, sport=0):
        self.tag = tag
        self.dst = (dst, port)
        self.sock = host.ns.socket(family_of(dst), socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        if sport:
            self.sock.bind(("::" if ":" in dst else "0.0.0.0", sport))
        self.sent = 0
        self.unsent = 0         # the local kernel refused to send
        self.answered = set()
        self.last_answer = None

    def send(self):
        try:
            self.sock.sendto(f"{self.tag}/{self.sent} ".encode(), self.dst)
            self.sent += 1
        except OSError:
            self.unsent += 1

    def receive(self):
        while True:
            try:
                data = self.sock.recv(2048)
            except OSError:
                return
            self.answered.add(int(data.partition(b"/")[2]))
            self.last_answer = time.monotonic()

    @property
    def lost(self):
        return self.sent - len(self.answered)

    def missing(self):
        """The numbers of those that were lost, in order."""
        return sorted(set(range(self.sent)) - self.answered)


class TcpFlow:
    """One open TCP connection that keeps talking; the same interface as Flow."""

    def __init__(self, host, dst, port, tag):
        self.tag = tag
        self.sock = tcp_open(host, dst, port)
        if self.sock is None:
            raise LabError(f"{tag}: no connection to {dst} port {port}")
        self.sock.setblocking(False)
        self.sent = 0
        self.unsent = 0
        self.answered = set()
        self.last_answer = None
        self._rest = b""

    def send(self):
        try:
            self.sock.send(f"{self.tag}/{self.sent} \n".encode())
            self.sent += 1
        except OSError:
            self.unsent += 1

    def receive(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            if not data:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self.answered.add(int(line.partition(b"/")[2]))
                self.last_answer = time.monotonic()

    @property
    def lost(self):
        return self.sent - len(self.answered)


class Steady:
    """Drives many flows, each at the same pace, from one thread."""

    def __init__(self, flows, period=0.02):
        self.flows = list(flows)
        self.period = period
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def _run(self):
        due = time.monotonic()
        while not self._stop.is_set():
            for flow in self.flows:
                flow.send()
                flow.receive()
            due += self.period
            pause = due - time.monotonic()
            if pause > 0:
                self._stop.wait(pause)
            else:
                due = time.monotonic()

    def stop(self, patience=1.0):
        """Stop sending, then collect what is still on its way."""
        self._stop.set()
        self._thread.join(10)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for flow in self.flows:
                flow.receive()
            if not any(flow.lost for flow in self.flows):
                break
            time.sleep(0.01)
        return self

    def close(self):
        self._stop.set()
        for flow in self.flows:
            flow.sock.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop(0)
        self.close()
