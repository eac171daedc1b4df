# SPDX-License-Identifier: GPL-2.0-or-later
"""A worker that lies, a client that misbehaves, a disk that is full: the rules stand, and so do the others."""
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import time

import pytest

from lab.cordon import PROGRAMS
from lab.topology import wait_for

pytestmark = pytest.mark.once

HERE = os.path.dirname(os.path.realpath(__file__))
DEFINITIONS = os.path.join(HERE, "../../src/proto/messages.def")
NAMES = ("READY", "FLOW_FLUSHED", "PKI_FETCH", "PKI_REVOKE", "PKI_REVOKE_DONE", "PKI_CLEAR", "PKI_SOURCE", "PKI_AUTHORITY",
         "PKI_CHECKED", "PKI_LOOKED", "COMPILED", "CTL_CRL_REFRESH", "IMAGE", "PKI_LOOKUP")


def numbers():
    with open(DEFINITIONS, encoding="ascii") as f:
        order = re.findall(r"^MSG\((\w+),", f.read(), re.M)
    return {name: order.index(name) + 1 for name in order}


@pytest.fixture(scope="module")
def world(make_world):
    """With a programs folder of its own, in which programs can be exchanged."""
    world = make_world(kinds=[("sensor", 3)], start=False)
    folder = os.path.join(world.lab.dir, "programs")
    os.mkdir(folder, 0o755)
    for name in PROGRAMS:
        shutil.copy2(os.path.join(world.stage.programs, name), folder)
    stage = type("Stage", (), {"find": world.stage.find, "programs": folder, "folder": world.stage.folder,
                               "reachable_programs": lambda self=None: folder})()
    world.cordon.stage = stage
    world.start()
    return world


def end_hostile(world):
    """cordon-spawn would wait for them."""
    for pid in world.lab.router.pids():
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if world.cordon.stage.programs.encode() in f.read() and "python3" in os.readlink(f"/proc/{pid}/exe"):
                    os.kill(pid, 9)
        except OSError:
            continue


@pytest.fixture
def exchanged(world):
    """exchanged("cordon-flow", how): the next cordon-flow that starts is a hostile one; undone with the test."""
    folder, done = world.cordon.stage.programs, []

    def exchange(name, how):
        with open(os.path.join(HERE, "hostile_worker.py"), encoding="ascii") as f:
            text = f.read()
        n = numbers()
        text = text.replace("@HOW@", how).replace("@NUMBERS@", ", ".join(str(n[name]) for name in NAMES))
        path, pid = os.path.join(folder, name), world.cordon.pids().get(name)
        os.rename(path, path + ".real")
        done.append(path)
        with open(path + ".new", "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path + ".new", 0o755)
        os.rename(path + ".new", path)
        if pid is not None:
            os.kill(pid, 9)
    yield exchange
    for path in done:
        if os.path.exists(path + ".real"):
            os.rename(path + ".real", path)
    end_hostile(world)
    world.cordon.stop()     # a new cordond begins at the shortest back-off
    world.cordon.start()


def stands(world, how, cordond):
    """Enforcement, cordond and a quarantine in time."""
    a, b = world.lab.devices[:2]
    assert world.cordon.pids().get("cordond") == cordond, how
    assert world.delivered(a, world.lab.server, 4, 5000, tag="stands") == 4
    assert world.refused(a, world.lab.other, 6, 5000, tag="stands-not")
    began = time.monotonic()
    world.quarantine(b)
    assert time.monotonic() - began < 2, how
    assert world.refused(b, world.lab.server, 4, 5000)
    world.release(b)
    assert world.delivered(b, world.lab.server, 6, 5000) == 4
    assert world.cordon.pids().get("cordond") == cordond, how


PROTOCOL = ["garbage", "unknown-type", "wrong-direction", "wrong-size", "length-lie", "too-many-descriptors", "closes"]


@pytest.mark.parametrize("name,how", [("cordon-flow", how) for how in PROTOCOL + ["flood-ready", "flood-flushed"]]
                         + [("cordon-pki", how) for how in ("garbage", "unknown-devices", "revocations-without-end",
                                                            "sources", "fetches", "fetches-of-nothing", "looked",
                                                            "authorities", "clears-without-end", "loosens",
                                                            "tightens-beyond-the-policy", "flood-ready")])
def test_worker_that_lies(world, exchanged, name, how):
    cordond = world.cordon.pids()["cordond"]
    restarts = world.status()["workers"][name]["restarts"]
    exchanged(name, how)
    if how in PROTOCOL:
        wait_for("it to be ended", lambda: world.status()["workers"][name]["restarts"] >= restarts + 2, 15, 0.05)
    else:
        time.sleep(0.5)
    stands(world, how, cordond)


@pytest.mark.parametrize("how", ["fetches-of-no-kind", "alarm-of-no-kind", "checks", "cause-of-an-operator",
                                 "two-causes", "evidence-of-no-kind", "long-serial", "long-number",
                                 "clears-an-operator", "clears-all", "sources"])
def test_pki_that_says_what_there_is_none_of(world, exchanged, how):
    """It is ended for it, each time."""
    restarts = world.status()["workers"]["cordon-pki"]["restarts"]
    exchanged("cordon-pki", how)
    wait_for("it to be ended", lambda: world.status()["workers"]["cordon-pki"]["restarts"] >= restarts + 2, 15, 0.05)
    assert all(world.station(d) == "enforced" for d in world.lab.devices)


def test_pki_that_was_taken_over_loosens_nothing(world, exchanged):
    """An operator's quarantine and a revocation for good stand, whatever it says."""
    _, by_operator, revoked = world.lab.devices
    world.quarantine(by_operator)
    world.revoke(revoked)
    try:
        exchanged("cordon-pki", "loosens")
        wait_for("it to be up", lambda: world.status()["workers"]["cordon-pki"]["up"], 10, 0.05)
        time.sleep(0.3)
        assert world.station(by_operator) == world.station(revoked) == "quarantined"
        assert world.refused(revoked, world.lab.server, 4, 5000)
    finally:
        world.release(by_operator)
        world.ca.unrevoke(revoked.serial)
        world.cordon.ctl("device", "release", revoked.name, "--revoked", "--reason", "test")


def test_pki_that_was_taken_over_keeps_to_the_policy(world, exchanged):
    """No authority says that staleness restricts or quarantines anybody."""
    exchanged("cordon-pki", "tightens-beyond-the-policy")
    wait_for("it to be up", lambda: world.status()["workers"]["cordon-pki"]["up"], 10, 0.05)
    time.sleep(0.3)
    assert all(world.station(d) == "enforced" for d in world.lab.devices)


def test_pki_that_cannot_look_up_lets_nobody_in(world, exchanged):
    """What it says of other policies is no answer, and an error is none either."""
    late, there = world.lab.devices[:2]
    world.site.devices = [d for d in world.lab.devices if d is not late]
    world.apply()
    exchanged("cordon-pki", "looks-badly")
    try:
        wait_for("it to be up", lambda: world.status()["workers"]["cordon-pki"]["up"], 10, 0.05)
        world.site.devices = list(world.lab.devices)
        world.apply()
        time.sleep(0.3)
        assert world.station(late) == "quarantined" and world.station(there) == "enforced"
        assert world.refused(late, world.lab.server, 4, 5000)
    finally:
        path = os.path.join(world.cordon.stage.programs, "cordon-pki")
        os.rename(path + ".real", path)
        end_hostile(world)
        world.site.devices = list(world.lab.devices)
        world.apply()
    world.wait_station(late, "enforced", timeout=15)


def test_flow_that_hangs_is_ended(world, exchanged):
    """It was asked to write down what is known and never answers: another one takes its place."""
    exchanged("cordon-flow", "hangs")
    wait_for("it to be up", lambda: world.status()["workers"]["cordon-flow"]["up"], 10, 0.05)
    restarts = world.status()["workers"]["cordon-flow"]["restarts"]
    os.rename(os.path.join(world.cordon.stage.programs, "cordon-flow.real"),
              os.path.join(world.cordon.stage.programs, "cordon-flow"))
    asked = subprocess.Popen(world.cordon.command("attempt", "list"), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        wait_for("it to be ended", lambda: world.status()["workers"]["cordon-flow"]["restarts"] > restarts, 45, 0.2)
        assert world.refused(world.lab.devices[0], world.lab.other, 4, 7120)
        assert world.wait_attempts(device=world.lab.devices[0].name, port=7120)
    finally:
        asked.kill()
        asked.wait()


@pytest.mark.parametrize("how", ["image-open", "image-garbage", "image-device", "text-pipe", "garbage", "twice"])
def test_compiler_that_lies(world, exchanged, how):
    cordond = world.cordon.pids()["cordond"]
    revision = world.status()["revision"]
    exchanged("cordon-compile", how)
    apply = subprocess.Popen(world.cordon.command("policy", "apply"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        time.sleep(0.3)
        stands(world, how, cordond)
        assert apply.wait(15) != 0
    finally:
        apply.kill()
        apply.communicate()
    assert world.status()["revision"] == revision


# ---- the control socket --------------------------------------------------------------------

def connect(world):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.path.join(world.cordon.run, "control.sock"))
    return s


def request(kind, payload, serial=1, length=None):
    return struct.pack("=IIII", kind, serial, len(payload) if length is None else length, 0) + payload


def test_clients_that_misbehave(world):
    cordond, n = world.cordon.pids()["cordond"], numbers()
    junk = [b"", b"x", os.urandom(16), os.urandom(60000), request(n["CTL_STATUS"], b"123"),
            request(n["CTL_STATUS"], b"1234", length=2 ** 31), request(n["PKI_REVOKE"], b"\0" * 24),
            request(n["CTL_STATUS_IS"], b"\0" * 8), request(0, b"1234"), request(2 ** 32 - 1, b"1234"),
            request(n["CTL_EVENTS"], struct.pack("=II", 2 ** 32 - 1, 0)),
            request(n["CTL_STAND"], struct.pack("=IIIIqII20s4x64s200s", 1, 1, 0, 0, 0, 0, 0, b"", b"", b"")),
            request(n["CTL_CRL_RESET"], struct.pack("=II", 2 ** 32 - 1, 0)),
            request(n["CTL_CRL_REFRESH"], struct.pack("=II", 2 ** 32 - 1, 0))]
    for data in junk:
        with connect(world) as s:
            s.send(data)
        with connect(world) as s:
            s.send(data)
            s.settimeout(1)
            s.recv(1000)
    with connect(world) as s:       # descriptors that nobody asked for
        socket.send_fds(s, [request(n["CTL_STATUS"], b"\0" * 4)], [0, 1, 2])
    stands(world, "junk", cordond)
    assert len(os.listdir(f"/proc/{cordond}/fd")) < 60


def test_clients_that_do_not_read(world):
    cordond, n = world.cordon.pids()["cordond"], numbers()
    slow = connect(world)
    slow.setblocking(False)
    try:
        for _ in range(100000):
            slow.send(request(n["CTL_STATE"], b"\0" * 4))
    except OSError:
        pass
    stands(world, "slow reader", cordond)
    slow.close()


def test_more_clients_than_there_is_room_for(world):
    """Idle connections take no operator's place: the one that was silent for longest goes."""
    cordond = world.cordon.pids()["cordond"]
    idle = [connect(world) for _ in range(200)]
    try:
        stands(world, "many", cordond)
    finally:
        for s in idle:
            s.close()


# ---- the disk ---------------------------------------------------------------------------------

def state_folder(world):
    return next(d for d, _, files in os.walk(world.cordon.state) if any(f.startswith("policy-") for f in files))


@pytest.fixture
def small_disk(world):
    """The state on a disk of its own; `fill` takes all that is left."""
    world.cordon.stop()
    keep = world.cordon.state + ".keep"
    os.rename(world.cordon.state, keep)
    os.mkdir(world.cordon.state, 0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", world.cordon.state], check=True)
    shutil.copytree(keep, world.cordon.state, dirs_exist_ok=True, symlinks=True)
    for where, dirs, files in os.walk(keep):
        for name in [".", *dirs, *files]:
            st = os.lstat(os.path.join(where, name))
            to = os.path.normpath(os.path.join(world.cordon.state, os.path.relpath(where, keep), name))
            os.lchown(to, st.st_uid, st.st_gid)
            os.chmod(to, stat.S_IMODE(st.st_mode))

    def remount(options):
        subprocess.run(["mount", "-o", "remount," + options, world.cordon.state], check=True)
    try:
        world.cordon.start()
        yield remount
    finally:
        world.cordon.stop()
        subprocess.run(["umount", world.cordon.state], check=True)
        os.rmdir(world.cordon.state)
        os.rename(keep, world.cordon.state)
    world.cordon.start()
    for d in world.lab.devices:
        if world.station(d) == "quarantined":
            world.release(d)


def fill(world):
    path = os.path.join(world.cordon.state, "ballast")
    try:
        with open(path, "wb", buffering=0) as f:
            while True:
                f.write(b"\0" * 4096)
    except OSError:
        return path


def test_full_disk(world, small_disk, family):
    """A quarantine acts at once and is written when there is room again; an apply says no."""
    a, b = world.lab.devices[:2]
    ballast = fill(world)
    done = world.cordon.try_ctl("device", "quarantine", b.name, "--reason", "full")
    assert world.station(b) == "quarantined", done.stderr
    assert world.refused(b, world.lab.server, family, 5000)
    assert world.delivered(a, world.lab.server, family, 5000) == 4
    assert world.cordon.try_ctl("policy", "apply").returncode != 0
    assert world.delivered(a, world.lab.server, family, 5000) == 4
    world.cordon.kill("cordond")
    wait_for("cordond to be back", lambda: world.cordon.try_ctl("status").returncode in (0, 1), 20, 0.1)
    assert world.station(b) == "quarantined"
    os.unlink(ballast)
    world.cordon.apply()
    if family == 4:
        # what is in the journal counts after a loss of the table as well
        wait_for("the journal to be written", lambda: os.path.getsize(
            os.path.join(state_folder(world), "stations.journal")) > 0, 15, 0.2)
        world.cordon.stop()
        world.lab.router.run(["nft", "delete", "table", "inet", "cordon"])
        world.cordon.start()
        assert world.station(b) == "quarantined"
    world.release(b)


def test_read_only_disk(world, small_disk):
    """It starts, enforces, and quarantines; what cannot be kept is refused, not half done."""
    a, b = world.lab.devices[:2]
    world.cordon.stop()
    small_disk("ro")
    try:
        world.cordon.start()
        assert world.delivered(a, world.lab.server, 4, 5000) == 4
        world.cordon.try_ctl("device", "quarantine", b.name, "--reason", "read-only")
        assert world.station(b) == "quarantined"
        assert world.refused(b, world.lab.server, 4, 5000)
        assert world.cordon.try_ctl("device", "release", b.name, "--reason", "over").returncode != 0
        assert world.station(b) == "quarantined"
        assert world.cordon.try_ctl("policy", "apply").returncode != 0
        assert world.delivered(a, world.lab.server, 4, 5000) == 4
    finally:
        world.cordon.stop()
        small_disk("rw")
        world.cordon.start()
    assert world.station(b) == "quarantined"    # the kernel knew
    world.release(b)
