# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon in the router of a lab: start, ask, kill, stop."""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile

from . import netns
from .netns import LabError
from .topology import wait_for

PROGRAMS = ("cordond", "cordon-compile", "cordon-flow", "cordon-pki", "cordon-fetch")
NOT_RUNNING = 3


class Failed(LabError):
    """cordonctl said no. `code` and `output` tell how."""

    def __init__(self, argv, done):
        super().__init__(f"cordonctl {' '.join(argv)}: exit {done.returncode}: "
                         f"{(done.stderr or done.stdout).strip()}")
        self.code = done.returncode
        self.output = done.stdout + done.stderr


def everybody_may_enter(path):
    """May a user without rights reach this folder?"""
    path = os.path.realpath(path)
    while True:
        if not os.stat(path).st_mode & 0o001:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


class Stage:
    """The installed tree that the build made."""

    def __init__(self, folder):
        self.folder = os.path.realpath(folder)
        self.programs = os.path.join(self.folder, "libexec", "cordon")
        self._copy = None
        if not os.path.exists(os.path.join(self.programs, "cordond")):
            raise LabError(f"no cordond in {self.programs}: build first (quickstart build)")

    def find(self, name):
        for sub in ("sbin", "bin", "libexec/cordon"):
            path = os.path.join(self.folder, sub, name)
            if os.path.exists(path):
                return path
        raise LabError(f"no {name} in {self.folder}")

    def reachable_programs(self):
        """Where the workers' users can execute them: a clone below /root is closed to them."""
        if everybody_may_enter(self.programs):
            return self.programs
        if self._copy is None:
            self._copy = tempfile.mkdtemp(prefix="cordon-programs-", dir="/var/tmp")
            os.chmod(self._copy, 0o755)
            for name in PROGRAMS:
                shutil.copy2(os.path.join(self.programs, name), self._copy)
        return self._copy

    def close(self):
        if self._copy:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None


class Cordon:
    """cordon-spawn and what it starts, in one router, with folders of its own."""

    def __init__(self, lab, stage, absent=()):
        self.lab = lab
        self.stage = stage
        self.absent = list(absent)
        self.etc = os.path.join(lab.dir, "etc")
        self.state = os.path.join(lab.dir, "state")
        self.run = os.path.join(lab.dir, "run")
        self.log_path = os.path.join(lab.dir, "log")
        for folder in (self.etc, self.state, self.run):
            os.makedirs(folder, mode=0o755, exist_ok=True)
        self.around = []        # what to put before the command that starts it
        self._spawn = None

    # ---- life ---------------------------------------------------------------

    def start(self, wait=True):
        argv = [*self.around, self.stage.find("cordon-spawn"), "--config", self.etc, "--state", self.state,
                "--run", self.run, "--programs", self.stage.reachable_programs()]
        if self.absent:
            argv += ["--force-absent", ",".join(self.absent)]
        with open(self.log_path, "ab") as log:
            self._spawn = self.lab.router.popen(argv, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log, start_new_session=True)
        if wait:
            self.wait_until_ready()
        return self

    def spawn_pid(self):
        return self._spawn.pid if self._spawn else None

    def wait_until_ready(self, timeout=20.0):
        def answers():
            if self._spawn and self._spawn.poll() is not None:
                raise LabError(f"cordon-spawn ended with {self._spawn.returncode}:\n{self.log_tail()}")
            return self.try_ctl("status", "--json").returncode in (0, 1)
        try:
            wait_for("cordond to answer", answers, timeout, 0.05)
        except LabError as e:
            raise LabError(f"{e}\n{self.log_tail()}") from None

    def stop(self, patience=10.0):
        """As a service manager does: SIGTERM to cordon-spawn. The rules stay."""
        if self._spawn is None:
            return
        if self._spawn.poll() is None:
            self._spawn.send_signal(signal.SIGTERM)
            try:
                self._spawn.wait(patience)
            except subprocess.TimeoutExpired:
                self._spawn.kill()
                self._spawn.wait(5)
        self._spawn = None
        netns.stop_processes(set(self.pids().values()), 2.0)

    def kill(self, name, signum=signal.SIGKILL):
        """Signal one process by name; returns its pid, or None when there is none."""
        pid = self.spawn_pid() if name == "cordon-spawn" else self.pids().get(name)
        if pid is None:
            return None
        try:
            os.kill(pid, signum)
        except ProcessLookupError:
            return None
        return pid

    def reap(self):
        """After cordon-spawn was killed: collect it, so that start() may be called again."""
        if self._spawn is not None:
            self._spawn.wait(5)
            self._spawn = None

    def pids(self):
        """Name -> pid of cordon's processes in the router's namespace."""
        found = {}
        for pid in self.lab.router.pids():
            try:
                name = os.path.basename(os.readlink(f"/proc/{pid}/exe")).split(" ")[0]
            except OSError:
                continue
            # between its fork and its exec a worker looks like cordon-spawn
            if name in PROGRAMS or pid == self.spawn_pid():
                found[name] = pid
        return found

    def log_tail(self, lines=30):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    # ---- asking -------------------------------------------------------------

    def command(self, *argv):
        return [self.stage.find("cordonctl"), *argv, "--run", self.run, "--config", self.etc,
                "--state", self.state, "--programs", self.stage.reachable_programs()]

    def try_ctl(self, *argv, timeout=60):
        return subprocess.run(self.command(*argv), text=True, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def ctl(self, *argv):
        """Text of a command that must succeed."""
        done = self.try_ctl(*argv)
        if done.returncode != 0:
            raise Failed(argv, done)
        return done.stdout

    def ask(self, *argv):
        """The same as JSON. 2 is an answer too where a command's code says how things stand."""
        done = self.try_ctl(*argv, "--json")
        if done.returncode != 0 and not (done.returncode == 2 and argv[0] in ("crl", "pending")):
            raise Failed(argv, done)
        return json.loads(done.stdout)

    def apply(self):
        return self.ask("policy", "apply")

    def status(self):
        """Exit code 1 says that something is not well; the object says what."""
        done = self.try_ctl("status", "--json")
        if done.returncode not in (0, 1):
            raise Failed(("status",), done)
        return json.loads(done.stdout)

    def device(self, name):
        return self.ask("device", "show", name)

    def attempts(self, device=None):
        argv = ["attempt", "list"] + (["--device", device] if device else [])
        got = self.ask(*argv)
        return got if isinstance(got, list) else got.get("attempts", [])

    # ---- the kernel's side ----------------------------------------------------

    def generation(self):
        """How many transactions nf_tables has seen in the router (NFT_MSG_GETGEN)."""
        with self.lab.router.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as s:
            s.bind((0, 0))
            s.settimeout(5)
            s.send(struct.pack("=IHHII", 20, 10 << 8 | 16, 1, 1, 0) + bytes(4))
            data = s.recv(4096)
        return struct.unpack_from(">I", data, 24)[0]    # after two headers, in the first attribute

    def table(self):
        """The table as nft shows it, as parsed JSON, or None when there is none."""
        done = self.lab.router.run(["nft", "-j", "list", "table", "inet", "cordon"], check=False)
        return json.loads(done.stdout)["nftables"] if done.returncode == 0 else None

    def elements(self, name):
        done = self.lab.router.run(["nft", "-j", "list", "set", "inet", "cordon", name], check=False)
        if done.returncode != 0:
            done = self.lab.router.run(["nft", "-j", "list", "map", "inet", "cordon", name])
        for item in json.loads(done.stdout)["nftables"]:
            for kind in ("set", "map"):
                if kind in item:
                    return item[kind].get("elem", [])
        return []

    def counter(self, name):
        done = self.lab.router.run(["nft", "-j", "list", "counter", "inet", "cordon", name])
        for item in json.loads(done.stdout)["nftables"]:
            if "counter" in item:
                return item["counter"]["packets"]
        raise LabError(f"no counter {name}")


class Watch:
    """Reads `cordonctl attempt list --follow` until closed."""

    def __init__(self, cordon):
        self.process = subprocess.Popen(cordon.command("attempt", "list", "--follow", "--json"),
                                        text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def close(self):
        self.process.terminate()
        out, _ = self.process.communicate(timeout=5)
        return [json.loads(line) for line in out.splitlines() if line.strip()]
