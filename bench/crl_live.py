# SPDX-License-Identifier: GPL-2.0-or-later
"""What bench/crl-live measures with: packets with their times, the kernel's part of a
change alone, and what processes use."""
import collections
import contextlib
import ctypes
import json
import os
import socket
import struct
import time

from lab import netns, packets

SO_TIMESTAMPNS = 35
TICK_NS = 10**9 // os.sysconf("SC_CLK_TCK")


# ---- packets ---------------------------------------------------------------------

class Talk:
    """A process of its own: one frame of each sender every millisecond, and when the last of each
    arrived (CLOCK_REALTIME, by the receiving kernel's stamp). The flows stay the same, so they are
    open connections when a device is cut."""

    def __init__(self, world, devices, base=20000):
        port, server = world.lab.devices[0], world.lab.server
        self._base = base
        self._frames = [world.frame(port, server, 4, packets.UDP, packets.udp(port.ip4, server.ip4, base + i, 5000,
                                                                            b"talk"), mac=d.mac)
                        for i, d in enumerate(devices)]
        self._go, there = os.pipe()
        self._result, result = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            code = 1
            try:
                os.close(there)
                os.close(self._result)
                os.write(result, json.dumps(self._run(port.ns, server.ns)).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(self._go)
        os.close(result)
        self._go = there

    def _run(self, here, there):
        out = packets.Wire(here)
        seen = packets.Wire(there, receive=True).sock
        seen.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        os.set_blocking(self._go, False)
        account = [[0, 0, 0] for _ in self._frames]     # sent, arrived, when the last did
        due = time.monotonic()
        while True:
            for row, frame in zip(account, self._frames):
                out.send(frame)
                row[0] += 1
            self._read(seen, account)
            due = max(due + 0.001, time.monotonic() - 0.05)
            time.sleep(max(0, due - time.monotonic()))
            with contextlib.suppress(BlockingIOError):
                if os.read(self._go, 1) == b"":         # the other end was closed: it is over
                    break
        time.sleep(0.1)
        self._read(seen, account)
        return account

    def _read(self, seen, account):
        while True:
            try:
                data, extra, _, where = seen.recvmsg(2048, 64)
            except BlockingIOError:
                return
            if where[2] == 4 or data[12:14] != b"\x08\x00" or data[23] != packets.UDP or data[36:38] != b"\x13\x88":
                continue
            row = account[struct.unpack_from(">H", data, 34)[0] - self._base]
            row[1] += 1
            row[2] = next(s * 10**9 + ns for level, kind, value in extra if kind == SO_TIMESTAMPNS
                          for s, ns in [struct.unpack("=qq", value)])

    def end(self):
        """[[sent, arrived, nanoseconds of the last]] in the order of the devices."""
        os.close(self._go)
        with os.fdopen(self._result) as f:
            text = f.read()
        os.waitpid(self.pid, 0)
        if not text:
            raise SystemExit("the sender ended early")
        return json.loads(text)


# ---- the kernel alone ------------------------------------------------------------

NEWSETELEM, GETSETELEM, DELSETELEM, GETSET = 12, 13, 14, 10
KEY, DATA, FLAGS, OBJREF, KEY_END = 1, 2, 3, 9, 10
NESTED = 0x8000
DYNAMIC = 0x20      # NFT_SET_EVAL


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def attributes(data):
    at, found = 0, {}
    while at + 4 <= len(data):
        n, kind = struct.unpack_from("=HH", data, at)
        found.setdefault(kind & 0x3fff, []).append(data[at + 4:at + n])
        at += (n + 3) & ~3
    return found


def message(kind, flags, *parts, family=1, resource=0):
    body = struct.pack(">BBH", family, 0, resource) + b"".join(parts)
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


class Nft:
    """nf_tables of a namespace, by hand: what a program adds to the kernel's time is left out."""

    def __init__(self, ns, table="cordon"):
        self.sock = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.sock.bind((0, 0))
        for option in (32, 33):         # SO_SNDBUFFORCE, SO_RCVBUFFORCE
            self.sock.setsockopt(socket.SOL_SOCKET, option, 32 << 20)
        self.table = attribute(1, table.encode() + b"\0")

    def there(self):
        """Is the table?"""
        try:
            return any([True for _ in self._dump(GETSET)])
        except OSError:
            return False

    def _dump(self, kind, *parts):
        self.sock.send(message(10 << 8 | kind, 0x301, self.table, *parts))
        while True:
            data, at = self.sock.recv(1 << 20), 0
            while at < len(data):
                n, what, _, _, _ = struct.unpack_from("=IHHII", data, at)
                if what == 3:
                    return
                if what == 2:
                    raise OSError(-struct.unpack_from("=i", data, at + 16)[0], "nf_tables")
                yield attributes(data[at + 20:at + n])
                at += (n + 3) & ~3

    def elements(self):
        """{set: {key: the element's attributes}} of the sets that have names and that no packet fills."""
        sets = {found[2][0]: struct.unpack(">I", found.get(3, [bytes(4)])[0])[0] for found in list(self._dump(GETSET))}
        out = {}
        for name, flags in sets.items():
            if name.startswith(b"__") or flags & DYNAMIC:
                continue
            rows = out[name] = {}
            for found in self._dump(GETSETELEM, attribute(2, name)):
                for element in attributes(found.get(3, [b""])[0]).get(1, []):
                    a = attributes(element)
                    keep = tuple((k, a[k][0]) for k in (KEY, KEY_END, DATA, FLAGS, OBJREF) if k in a)
                    rows[a.get(KEY, [b""])[0], a.get(KEY_END, [b""])[0], a.get(FLAGS, [b""])[0]] = keep
        return out

    def _changes(self, kind, name, rows, flags):
        rows = list(rows)
        for i in range(0, len(rows), 200):
            listed = b"".join(attribute(1 | NESTED, b"".join(
                attribute(k | (NESTED if k in (KEY, DATA, KEY_END) else 0), v) for k, v in row))
                for row in rows[i:i + 200])
            yield message(10 << 8 | kind, flags, self.table, attribute(2, name), attribute(3 | NESTED, listed))

    def batch(self, before, after):
        """The transaction from one to the other, and how many elements it touches."""
        parts, n = [message(0x10, 1, family=0, resource=10)], 0
        for name, rows in before.items():
            gone = [tuple(x for x in row if x[0] in (KEY, KEY_END, FLAGS)) for key, row in rows.items()
                    if after[name].get(key) != row]
            parts += self._changes(DELSETELEM, name, gone, 1)
            n += len(gone)
        for name, rows in after.items():
            new = [row for key, row in rows.items() if before[name].get(key) != row]
            parts += self._changes(NEWSETELEM, name, new, 0x401)
            n += len(new)
        return b"".join(parts) + message(0x11, 5, family=0, resource=10), n     # with an answer

    def commit(self, batch):
        """Milliseconds of the system call, which is the whole transaction."""
        start = time.monotonic()
        self.sock.send(batch)
        took = time.monotonic() - start
        self.sock.settimeout(10)
        data = self.sock.recv(1 << 20)
        code = struct.unpack_from("=i", data, 16)[0] if struct.unpack_from("=H", data, 4)[0] == 2 else 0
        if code != 0:
            raise OSError(-code, "the kernel did not take the same changes")
        return took * 1000

    def close(self):
        self.sock.close()


@contextlib.contextmanager
def kernel_copy(name, text):
    """A namespace with the same table, and nobody's traffic."""
    netns.add([name])
    ns = netns.Namespace(name)
    try:
        ns.nft(text)
        yield ns
    finally:
        ns.close()
        netns.remove([name])


# ---- what processes use ------------------------------------------------------------

def cpu_ns(pid):
    """Of the living process, with its threads."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total


def children_ns(pid):
    """Of the children that ended and were waited for."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[13]) + int(words[14])) * TICK_NS


def written(pid):
    with open(f"/proc/{pid}/io", encoding="ascii") as f:
        return {k: int(v) for k, v in (line.split(": ") for line in f)}["write_bytes"]


def rollup(pid):
    """(Pss, Rss) in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        words = collections.defaultdict(int, {w[0]: int(w[1]) for w in (line.split() for line in f) if w[0][-1] == ":"})
    return words["Pss:"], words["Rss:"]


class Writes:
    """Whatever changes below a folder (inotify): written, made, renamed, removed."""

    MASK = 0x2 | 0x4 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400

    def __init__(self, folder):
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._folders = {}
        for where, _, _ in os.walk(folder):
            self._folders[libc.inotify_add_watch(self._fd, where.encode(), self.MASK)] = where
        if self._fd < 0 or -1 in self._folders:
            raise SystemExit("inotify: " + os.strerror(ctypes.get_errno()))

    def take(self):
        """[(path, mask)] since the last time."""
        found = []
        while True:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                return found
            at = 0
            while at < len(data):
                wd, mask, _, n = struct.unpack_from("=iIII", data, at)
                name = data[at + 16:at + 16 + n].rstrip(b"\0").decode()
                found.append((os.path.join(self._folders.get(wd, "?"), name), mask))
                at += 16 + n

    def close(self):
        os.close(self._fd)
