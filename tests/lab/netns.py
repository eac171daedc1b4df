# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces by name: make, use from this process, remove.

A socket keeps the namespace it was made in, so a thread only visits a
namespace to open one; nothing else needs a process of its own."""
import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import time

CLONE_NEWNET = 0x40000000
RUN_NETNS = "/run/netns"

_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something outside our hands failed; the text says what."""


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        err = ctypes.get_errno()
        raise LabError(f"setns: {os.strerror(err)}")


def in_namespace(name):
    """What to put before a command. Unlike `ip netns exec` it mounts nothing, so it works in a
    chroot as well; /sys keeps showing the devices of the namespace we are in."""
    return ["nsenter", f"--net={os.path.join(RUN_NETNS, name)}"]


def ip(lines, ns=None):
    """Run ip commands in one process, in a namespace if one is named."""
    lines = [line for line in lines if line]
    if not lines:
        return
    cmd = (in_namespace(ns) if ns else []) + ["ip", "-batch", "-"]
    done = subprocess.run(cmd, input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        raise LabError(f"ip -batch in {ns or 'this namespace'}: {done.stderr.strip()}")


class Namespace:
    """One network namespace. `inside` moves the calling thread for a moment."""

    def __init__(self, name):
        self.name = name
        self.path = os.path.join(RUN_NETNS, name)
        self._fd = None

    def fileno(self):
        if self._fd is None:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        return self._fd

    def close(self):
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @contextlib.contextmanager
    def inside(self):
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _setns(self.fileno())
            try:
                yield self
            finally:
                _setns(home)
        finally:
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, proto=0):
        with self.inside():
            return socket.socket(family, kind, proto)

    def sysctl(self, **values):
        """sysctl(net__ipv4__ip_forward=1); two underscores are a slash."""
        with self.inside():
            for key, value in values.items():
                with open("/proc/sys/" + key.replace("__", "/"), "w",
                          encoding="ascii") as f:
                    f.write(str(value))

    def mac(self, interface):
        shown = self.run(["ip", "-j", "link", "show", "dev", interface]).stdout
        return json.loads(shown)[0]["address"]

    def ip(self, *lines):
        ip(lines, self.name)

    def command(self, argv):
        return in_namespace(self.name) + [str(a) for a in argv]

    def run(self, argv, check=True, text=True, **kw):
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        done = subprocess.run(self.command(argv), text=text, **kw)
        if check and done.returncode != 0:
            raise LabError(f"{self.name}: {' '.join(map(str, argv))}: "
                           f"{(done.stderr or '').strip() or done.returncode}")
        return done

    def popen(self, argv, **kw):
        return subprocess.Popen(self.command(argv), **kw)

    def nft(self, text):
        return self.run(["nft", "-f", "-"], input=text).stdout

    def pids(self):
        done = subprocess.run(["ip", "netns", "pids", self.name], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return [int(p) for p in done.stdout.split() if int(p) != os.getpid()]


def exists(name):
    return os.path.exists(os.path.join(RUN_NETNS, name))


def add(names):
    ip([f"netns add {name}" for name in names])


def remove(names, processes=True):
    """Remove namespaces by name, after the processes inside them."""
    names = [name for name in names if exists(name)]
    if processes:
        stop_processes({pid for name in names for pid in Namespace(name).pids()})
    ip([f"netns del {name}" for name in names])


def stop_processes(pids, patience=5.0):
    """SIGTERM, then SIGKILL, to pids that were found in namespaces of ours."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        deadline = time.monotonic() + patience
        while pids and time.monotonic() < deadline:
            pids = {pid for pid in pids if _alive(pid)}
            if pids:
                time.sleep(0.02)
        if not pids:
            return


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
