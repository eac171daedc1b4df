# SPDX-License-Identifier: GPL-2.0-or-later
"""What each process may do, read from /proc: users, capabilities, seccomp, libraries, files."""
import ctypes
import os
import re
import stat

import pytest

from lab.topology import wait_for

CAP_NET_ADMIN = 1 << 12
LANDLOCK_CREATE_RULESET, LANDLOCK_VERSION = 444, 1
USERS = {"cordond": "_cordon", "cordon-flow": "_cordon-flow", "cordon-pki": "_cordon-pki"}
LONG_LIVED = ("cordond", "cordon-flow", "cordon-pki")

# Libraries that must not be mapped, by process.
FORBIDDEN = {
    "cordond": ("libssl", "libcrypto", "libsqlite3", "libconfig", "libcurl", "libjansson"),
    "cordon-flow": ("libssl", "libcrypto", "libconfig", "libcurl", "libnftnl"),
    "cordon-pki": ("libcurl", "libsqlite3", "libconfig", "libnftnl"),
    "cordon-spawn": ("libssl", "libcrypto", "libsqlite3", "libconfig", "libcurl", "libnftnl"),
}


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 2)])


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def libraries(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as f:
        return {os.path.basename(path) for path in re.findall(r"(/\S+\.so[^\s]*)", f.read())}


def user_id(name):
    with open("/etc/passwd", encoding="utf-8") as f:
        for line in f:
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2])
    raise AssertionError(f"no user {name}")


@pytest.fixture(scope="module")
def pids(world):
    return wait_for("all processes", lambda: (lambda p: p if set(LONG_LIVED) | {"cordon-spawn"} <= set(p) else None)(
        world.cordon.pids()))


@pytest.mark.vm
@pytest.mark.parametrize("name", LONG_LIVED)
def test_own_user(pids, name):
    ids = status_of(pids[name])["Uid"].split()
    assert ids == [str(user_id(USERS[name]))] * 4
    assert int(ids[0]) != 0


@pytest.mark.vm
@pytest.mark.parametrize("name", LONG_LIVED)
def test_capabilities(pids, name):
    """cordond has CAP_NET_ADMIN and nothing more; the workers have nothing at all."""
    expected = CAP_NET_ADMIN if name == "cordond" else 0
    s = status_of(pids[name])
    assert int(s["CapEff"], 16) == expected
    assert int(s["CapPrm"], 16) == expected
    assert int(s["CapBnd"], 16) & ~expected == 0
    assert int(s["CapAmb"], 16) & ~expected == 0


@pytest.mark.vm
@pytest.mark.parametrize("name", LONG_LIVED)
def test_no_new_privileges_and_seccomp(pids, name):
    s = status_of(pids[name])
    assert s["NoNewPrivs"] == "1"
    assert s["Seccomp"] == "2"


def test_spawn_holds_no_more_than_it_needs(pids):
    s = status_of(pids["cordon-spawn"])
    # SETUID, SETGID, SETPCAP, KILL to make children; NET_ADMIN only to hand it on
    allowed = sum(1 << bit for bit in (5, 6, 7, 8, 12))
    assert int(s["CapEff"], 16) & ~allowed == 0
    assert s["NoNewPrivs"] == "1"


@pytest.mark.vm
def test_landlock(world):
    """Where the kernel has it, the workers are under it, and status says so."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(LANDLOCK_CREATE_RULESET, None, 0, LANDLOCK_VERSION) < 0:
        pytest.skip(f"this kernel runs without Landlock ({os.strerror(ctypes.get_errno())})")
    assert world.cordon.status()["landlock"] is True


@pytest.mark.vm
@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_linked_libraries(pids, name):
    mapped = libraries(pids[name])
    assert mapped, "nothing was read from /proc"
    bad = [lib for lib in mapped if lib.startswith(FORBIDDEN[name])]
    assert not bad


def test_no_shared_memory_of_writable_and_executable(pids):
    for name in (*LONG_LIVED, "cordon-spawn"):
        with open(f"/proc/{pids[name]}/maps", encoding="ascii", errors="replace") as f:
            assert not [line for line in f if line.split()[1].startswith("rwx")], name


@pytest.mark.parametrize("name", ("cordond", "cordon-flow", "cordon-pki"))
def test_no_network_sockets(pids, name):
    """No process that lives long has an IP socket: fetching is done by one that exits."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pids[name]}/fd"):
        try:
            target = os.readlink(f"/proc/{pids[name]}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:"):
            inodes.add(target[8:-1])
    assert inodes
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with open(f"/proc/{pids[name]}/net/{table}", encoding="ascii") as f:
            for line in f.readlines()[1:]:
                assert line.split()[9] not in inodes, table


def test_control_socket_is_for_the_group(world):
    st = os.stat(os.path.join(world.cordon.run, "control.sock"))
    assert stat.S_ISSOCK(st.st_mode)
    assert st.st_mode & 0o007 == 0


def test_dumps_are_forbidden(pids):
    """Nobody of the same user may attach or read memory: /proc/PID/ belongs to root."""
    for name in LONG_LIVED:
        assert os.stat(f"/proc/{pids[name]}/mem").st_uid == 0, name


def test_the_compiler_and_the_fetcher_do_not_stay(world):
    world.cordon.apply()
    world.cordon.ctl("crl", "refresh", "--wait")
    wait_for("them to end", lambda: not {"cordon-compile", "cordon-fetch"} & set(world.cordon.pids()), 10, 0.1)
