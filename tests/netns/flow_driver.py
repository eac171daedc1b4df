# SPDX-License-Identifier: GPL-2.0-or-later
"""cordond as cordon-flow sees it: its messages, its NFLOG socket, its counts."""
import array
import contextlib
import fcntl
import ipaddress
import json
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import tempfile
import time

from lab.netns import LabError

TOP = os.path.join(os.path.dirname(__file__), "../..")
BUILD = os.environ.get("CORDON_BUILD", os.path.join(TOP, "build"))
BUILD = os.path.join(BUILD, "normal") if os.path.isdir(os.path.join(BUILD, "normal")) else BUILD

GROUP_BASE = 40
REFUSED, INVALID, SIGHTED, CROWDED, GROUPS = range(5)
ENFORCED, AUDITED, QUARANTINED = 1, 2, 3
F_ADD_SEALS = 1033
USER = 64123                    # owns nothing but its folder


def message_numbers():
    with open(os.path.join(TOP, "src/proto/messages.def"), encoding="ascii") as f:
        return {name: i + 1 for i, name in enumerate(re.findall(r"^MSG\((\w+),", f.read(), re.M))}


MSG = message_numbers()


# ---- NFLOG -----------------------------------------------------------------

NETLINK_NETFILTER, SOL_NETLINK, NETLINK_NO_ENOBUFS = 12, 270, 5
NFULNL_CONFIG = 4 << 8 | 1


def _attribute(kind, data):
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def _configure(sock, group, *attributes):
    body = struct.pack("=BB", 0, 0) + struct.pack("!H", group) + b"".join(attributes)
    sock.send(struct.pack("=IHHII", 16 + len(body), NFULNL_CONFIG, 5, 1, 0) + body)
    answer = sock.recv(4096)
    error = struct.unpack_from("=i", answer, 16)[0]
    if error:
        raise LabError(f"NFLOG group {group}: {os.strerror(-error)}")


def nflog_socket(ns, receive_buffer=None, no_enobufs=True):
    sock = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    for group in range(GROUP_BASE, GROUP_BASE + GROUPS):
        _configure(sock, group, _attribute(1, b"\x01"))                        # bind
        _configure(sock, group, _attribute(2, struct.pack("!IBB", 128, 2, 0)),  # 128 bytes of the packet
                   _attribute(5, struct.pack("!I", 1)),                         # each record at once
                   _attribute(6, struct.pack("!H", 1)))                         # numbered
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if no_enobufs:
        sock.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
    return sock


# ---- the process -----------------------------------------------------------

class Flow:
    """A running cordon-flow, its channel and its store."""

    def __init__(self, ns, devices, folder=None, socket_=None):
        self.ns, self.devices = ns, devices
        # a build folder may be where the user of the process may not go
        program = os.path.join(BUILD, "src/flow/cordon-flow")
        if not os.path.exists(program):
            raise LabError(f"{program} is not built")
        self.nflog = socket_ or nflog_socket(ns)
        self.home = tempfile.mkdtemp(prefix="cordon-flow-")
        os.chmod(self.home, 0o711)
        self.folder = folder or os.path.join(self.home, "evidence")
        if not folder:
            os.mkdir(self.folder, 0o750)
        os.chown(self.folder, USER, USER)
        self.program = shutil.copy(program, self.home)
        self.process = self.channel = None
        self.token = 0

    def start(self, revision=1):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        state = os.open(self.folder, os.O_PATH | os.O_DIRECTORY)
        self.log = open(os.path.join(self.home, "log"), "ab")
        script = f'exec "{self.program}" 3<&{theirs.fileno()} 5<&{state}'
        self.process = self.ns.popen(
            ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "bash", "-c", script],
            pass_fds=(theirs.fileno(), state), stdin=subprocess.DEVNULL, stderr=self.log)
        theirs.close()
        os.close(state)
        self.channel = ours
        ours.settimeout(10)
        kind, _, payload = self.receive()
        assert kind == MSG["READY"]
        self.landlocked = struct.unpack_from("=I", payload)[0] == 1
        self.image(revision)
        for number in range(1, len(self.devices) + 1):
            self.station(number << 8 | 1, ENFORCED)
        self.send("FLOW_SOCKET", struct.pack("=II", GROUP_BASE, 0), self.nflog.fileno())
        self.flush()        # all of that has arrived
        return self

    def send(self, name, payload, fd=None):
        head = struct.pack("=IIII", MSG[name], 7, len(payload), 0)
        control = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        self.channel.sendmsg([head + payload], control)

    def receive(self):
        try:
            data = self.channel.recv(1 << 17)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError("cordon-flow is gone: " + self.log_text())
        kind, serial, length, _ = struct.unpack_from("=IIII", data)
        assert len(data) == 16 + length
        return kind, serial, data[16:]

    def log_text(self):
        with open(os.path.join(self.home, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def image(self, revision):
        """(name, last byte of its MAC, address, port or -) for each device; numbers are 1, 2, ..."""
        argv = [os.path.join(BUILD, "tests/netns/flow_image")]
        for name, mac, address, port in self.devices:
            argv += [name, f"{mac:x}", address, port]
        data = subprocess.run(argv, stdout=subprocess.PIPE, check=True).stdout
        fd = os.memfd_create("image", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.write(fd, data)
        fcntl.fcntl(fd, F_ADD_SEALS, 0x1 | 0x2 | 0x4 | 0x8)     # seal, shrink, grow, write
        self.send("IMAGE", struct.pack("=Q", revision), fd)
        os.close(fd)

    def station(self, mark, where, cause=0):
        self.send("FLOW_STATION", struct.pack("=IIII", mark >> 8, mark, where, cause))

    def counts(self, rows):
        for i in range(0, len(rows), 64):
            part = rows[i:i + 64]
            body = b"".join(_count(**row) for row in part)
            self.send("FLOW_COUNTS", struct.pack("=II", len(part), 0) + body.ljust(64 * 72, b"\0"))

    def dump(self, final=False):
        """What cordond does every few seconds: all counted keys of the kernel."""
        rows = []
        for name in ("refused4", "refused6", "refused4_portless", "stranger4"):
            text = self.ns.run(["nft", "-j", "list", "set", "inet", "test", name]).stdout
            for item in json.loads(text)["nftables"]:
                for element in item.get("set", {}).get("elem", []):
                    rows.append(_parse(name, element["elem"], final))
        self.counts(rows)
        return rows

    def flush(self):
        self.token += 1
        self.send("FLOW_FLUSH", struct.pack("=II", self.token, 0))
        while True:
            kind, _, payload = self.receive()
            assert kind == MSG["FLOW_FLUSHED"]
            token, error, attempts, lost, unmatched, clones = struct.unpack("=IIQQQQ", payload)
            if token == self.token:
                return {"error": error, "attempts": attempts, "lost": lost,
                        "unmatched": unmatched, "clones": clones}

    def rows(self, where="1", *values):
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/evidence.db?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            return [_row(r) for r in db.execute(f"SELECT * FROM attempt WHERE {where} ORDER BY id", values)]

    def wait_rows(self, where, *values, n=1, seconds=5):
        """Flush until the rows are there: packets take their time through the kernel."""
        end = time.monotonic() + seconds
        while True:
            self.dump()
            self.flush()
            found = self.rows(where, *values)
            if len(found) >= n or time.monotonic() > end:
                return found

    def end(self):
        """As when cordond goes; the exit status."""
        if self.channel:
            self.channel.close()
            self.channel = None
        if self.process:
            status = self.process.wait(10)
            self.process = None
            self.log.close()
            return status
        return None

    def close(self):
        if self.process and self.process.poll() is None:
            self.end()
        self.nflog.close()
        shutil.rmtree(self.home)


def _row(r):
    row = dict(r)
    for key in ("source", "destination"):
        row[key] = str(ipaddress.ip_address(row[key])) if row[key] is not None else None
    row["mac"] = row["mac"].hex(":") if row["mac"] is not None else None
    return row


def _count(mark=0, mac=b"", family=0, protocol=0, source=b"", destination=b"", port=0,
           packets=0, bytes_=0, final=False, group=REFUSED):
    return struct.pack("=QQI6sBB16s16sHBB8x", packets, bytes_, mark, mac, family, protocol, source, destination,
                       port, int(final), group)


PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "gre": 47, "ipv6-icmp": 58}


def _parse(set_name, element, final):
    key = element["val"]["concat"]
    row = {"packets": element["counter"]["packets"], "bytes_": element["counter"]["bytes"], "final": final}
    if set_name.startswith("stranger"):
        row["mac"] = bytes.fromhex(key[0].replace(":", ""))
    else:
        row["mark"] = int(key[0])
    source, destination = ipaddress.ip_address(key[1]), ipaddress.ip_address(key[2])
    row["family"] = socket.AF_INET if source.version == 4 else socket.AF_INET6
    row["source"], row["destination"] = source.packed, destination.packed
    row["protocol"] = PROTOCOLS[key[3]] if key[3] in PROTOCOLS else int(key[3])
    row["port"] = int(key[4]) if len(key) > 4 else 0
    return row
