# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon-fetch as it is shipped, with this program in the places of cordond and cordon-pki.

    result = Fetcher().fetch("http://127.0.0.1:8080/ca.crl", timeout_s=5)
    result.error, result.detail, result.crls[0].data

    with Watcher({0: "file:///srv/ca.crl"}) as w:
        w.changes(1.0)          # {which: how often} within that time"""
import array
import contextlib
import errno
import hashlib
import os
import re
import select
import socket
import struct
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CORDON_BUILD", os.path.join(TOP, "build")))
if os.path.exists(os.path.join(BUILD, "normal")):   # beside other kinds of builds
    BUILD = os.path.join(BUILD, "normal")
PROGRAM = os.path.join(BUILD, "src/fetch/cordon-fetch")

URL, PIN, CHUNK = 2048, 1024, 32768
LIMITS = struct.Struct(f"=QIIII{URL}s{URL}s{URL}s{URL}s{PIN}s")
REQUEST = struct.Struct(f"={URL}s256s64sII4096s1024s")
HEADER = struct.Struct("=II256s64s")
BODY = struct.Struct(f"=II{CHUNK}s")
END = struct.Struct("=IIII")
WATCH = struct.Struct(f"=II{URL}s")
CHANGED = struct.Struct("=II")
FRAME = struct.Struct("=IIII")
CRL, OCSP, WATCHING = range(3)
PATIENCE_S = 90
KEEP = 1 << 20          # bytes of a body that are kept; the rest is counted and hashed


def numbers(path, pattern, first=0):
    """Names to numbers, in the order of a table or an enum."""
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return {name: i for i, name in enumerate(re.findall(pattern, f.read(), re.M), first)}


def errors():
    with open(os.path.join(TOP, "src/proto/pki.h"), encoding="utf-8") as f:
        body = re.search(r"enum source_error \{(.*?)\};", f.read(), re.S).group(1)
    return {name: i for i, name in enumerate(re.findall(r"^\s*(E_\w+)", body, re.M))}


MESSAGES = numbers("src/proto/messages.def", r"^MSG\((\w+)", 1)
ERRORS = errors()
ERROR_NAMES = {v: k for k, v in ERRORS.items()}


def text(raw):
    return raw.split(b"\0", 1)[0].decode()


class Crl:
    """One header and what came behind it."""

    def __init__(self, payload):
        self.status, self.part, etag, modified = HEADER.unpack(payload)
        self.etag, self.modified = text(etag), text(modified)
        self.data = b""
        self.size = 0
        self.hash = hashlib.sha256()

    def add(self, payload):
        n, _, data = BODY.unpack(payload)
        self.size += n
        self.hash.update(data[:n])
        if len(self.data) < KEEP:
            self.data += data[:n]


class Result:
    """error and detail as in struct fetch_end (error by its name, E_NONE); crls: what came
    before; seconds; peak_kb: the most memory it had (VmHWM); exit: its wait status."""

    def __init__(self):
        self.crls = []
        self.error = self.detail = self.retry_after_s = None
        self.seconds = 0.0
        self.peak_kb = 0
        self.exit = None

    @property
    def crl(self):
        assert len(self.crls) == 1, f"{len(self.crls)} CRLs, {self.error} {self.detail}"
        return self.crls[0]

    def __repr__(self):
        return (f"<{self.error} {self.detail}, {[(c.status, c.size) for c in self.crls]}, "
                f"{self.seconds:.2f} s, {self.peak_kb} kB, exit {self.exit}>")


def send(sock, name, payload, fd=None):
    data = FRAME.pack(MESSAGES[name], 0, len(payload), 0) + payload
    control = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
    sock.sendmsg([data], control)


def receive(sock, seconds):
    """(name, payload), or None at the end."""
    sock.settimeout(seconds)
    try:
        data = sock.recv(70000)
    except ConnectionResetError:
        return None
    if not data:
        return None
    kind, _, n, _ = FRAME.unpack(data[:16])
    assert n == len(data) - 16
    return next(k for k, v in MESSAGES.items() if v == kind), data[16:]


def peak_kb(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        for line in f:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


class Process:
    """A cordon-fetch with both its channels; `with` ends it."""

    def __init__(self, netns=None, env=None, program=PROGRAM):
        kinds = (socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.cordond, theirs = socket.socketpair(*kinds)
        self.pki, self.their_pki = socket.socketpair(*kinds)
        for s in (self.pki, self.their_pki, self.cordond, theirs):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        self.their_pki.setblocking(False)
        theirs.setblocking(False)
        argv = [program] if netns is None else ["ip", "netns", "exec", netns, program]
        self.pid = os.posix_spawnp(argv[0], argv, dict(os.environ, **(env or {})),
                                   file_actions=[(os.POSIX_SPAWN_DUP2, theirs.fileno(), 3)])
        theirs.close()
        self.status = None

    def __enter__(self):
        return self

    def limits(self, payload):
        name, _ = receive(self.cordond, PATIENCE_S) or ("nothing", b"")
        assert name == "READY", name
        send(self.cordond, "FETCH_LIMITS", payload, self.their_pki.fileno())
        self.their_pki.close()

    def wait(self, seconds=10):
        """Its wait status; None when it is still there."""
        end = time.monotonic() + seconds
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = status
            elif time.monotonic() > end:
                return None
            else:
                time.sleep(0.005)
        return self.status

    def __exit__(self, *_):
        for s in (self.cordond, self.pki, self.their_pki):
            s.close()
        if self.wait(5) is None:
            os.kill(self.pid, 9)
            self.wait(5)


def prefix_of(url):
    if url.startswith("file:"):
        return url
    scheme, _, rest = url.partition("://")
    return scheme + "://" + re.match(r"[^/?#]*", rest).group(0)


class Fetcher:
    """fetch() makes one transfer; the defaults can be given to the constructor."""

    def __init__(self, netns=None, env=None, program=PROGRAM, **defaults):
        self.place = dict(netns=netns, env=env, program=program)
        self.defaults = defaults

    def fetch(self, url, **options):
        return self._fetch(url, **dict(self.defaults, **options))

    def _fetch(self, url, max_bytes=1 << 20, timeout_s=10, max_redirects=3, kind=CRL, no_private=0, prefix=None,
               hosts="", proxy="", no_proxy="", pin="", etag="", modified="", ca=b"", body=b"", slowly=0.0):
        """slowly: seconds that the stand-in for cordon-pki waits before each message it takes."""
        prefix = prefix_of(url) if prefix is None else prefix
        result = Result()
        with Process(**self.place) as p:
            start = time.monotonic()
            p.limits(LIMITS.pack(max_bytes, timeout_s, max_redirects, kind, no_private,
                                 *[s.encode() for s in (prefix, hosts, proxy, no_proxy, pin)]))
            send(p.pki, "FETCH_REQUEST", REQUEST.pack(url.encode(), etag.encode(), modified.encode(), len(ca),
                                                      len(body), ca, body))
            done = threading.Event()
            sampler = threading.Thread(target=self._sample, args=(p, result, done), daemon=True)
            sampler.start()
            try:
                self._take(p, result, slowly)
            finally:
                result.seconds = time.monotonic() - start
                done.set()
                sampler.join()
            result.exit = p.wait()
        return result

    @staticmethod
    def _sample(p, result, done):
        while not done.is_set():
            result.peak_kb = max(result.peak_kb, peak_kb(p.pid))
            done.wait(0.002)

    @staticmethod
    def _take(p, result, slowly):
        while True:
            if slowly:
                time.sleep(slowly)
            got = receive(p.pki, PATIENCE_S)
            assert got is not None, "cordon-fetch ended without FETCH_END"
            name, payload = got
            if name == "FETCH_HEADER":
                result.crls.append(Crl(payload))
            elif name == "FETCH_BODY":
                result.crls[-1].add(payload)
            else:
                assert name == "FETCH_END", name
                error, result.detail, result.retry_after_s, _ = END.unpack(payload)
                result.error = ERROR_NAMES[error]
                return


class Watcher:
    """A cordon-fetch that watches; urls: {which: url}."""

    def __init__(self, urls, **place):
        self.process = Process(**place)
        self.process.limits(LIMITS.pack(0, 0, 0, WATCHING, 0, b"", b"", b"", b"", b""))
        for which, url in urls.items():
            self.watch(which, url)

    def watch(self, which, url):
        send(self.process.pki, "FETCH_WATCH", WATCH.pack(which, 0, url.encode()))

    def next(self, seconds):
        """The next `which` within that time, or None."""
        if not select.select([self.process.pki], [], [], seconds)[0]:
            return None
        got = receive(self.process.pki, seconds)
        assert got is not None and got[0] == "FETCH_CHANGED", got
        return CHANGED.unpack(got[1])[0]

    def changes(self, seconds):
        """All that comes within that time: {which: how often}."""
        end, seen = time.monotonic() + seconds, {}
        while (left := end - time.monotonic()) > 0:
            which = self.next(left)
            if which is not None:
                seen[which] = seen.get(which, 0) + 1
        return seen

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.__exit__()


def is_errno(result, number):
    """E_FETCH with that errno."""
    return result.error == "E_FETCH" and result.detail == number and errno.errorcode.get(number)
