# SPDX-License-Identifier: GPL-2.0-or-later
# test_spawn.py -- cordon-spawn with a stand-in for cordond and the workers:
# as whom they run, with which rights and descriptors, and who dies when.
import contextlib
import grp
import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.environ.get("CORDON_BUILD", os.path.join(TOP, "build")))
if os.path.exists(os.path.join(BUILD, "normal")):  # beside other kinds of builds
    BUILD = os.path.join(BUILD, "normal")
SPAWN = os.path.join(BUILD, "cordon-spawn")
FAKE = os.path.join(BUILD, "tests/privsep/fake_program")

COMPILE, FLOW, PKI, FETCH, CTL, SPAWN_ITSELF, ENFORCE = 3, 4, 5, 6, 7, 1, 2
CAP_NET_ADMIN = 1 << 12

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def users_there():
    try:
        pwd.getpwnam("_cordon-compile")
        grp.getgrnam("cordon")
        return True
    except KeyError:
        return False


@pytest.fixture(scope="session", autouse=True)
def users():
    if not users_there():
        subprocess.run([os.path.join(TOP, "tests/tools/make-users.sh")], check=True)


def until(what, seconds=15):
    """The first true value of what(), within a bound."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status(pid):
    with open(f"/proc/{pid}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def fds(pid):
    out = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):    # closed meanwhile
            out[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return out


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


class Spawn:
    def __init__(self, folder, extra=()):
        self.folder = folder
        for name in ("config", "state", "run", "programs"):
            os.makedirs(folder / name, exist_ok=True)
        os.chmod(folder, 0o755)
        for name in ("cordond", "cordon-flow", "cordon-pki", "cordon-fetch", "cordon-compile"):
            if not (folder / "programs" / name).exists():
                shutil.copy(FAKE, folder / "programs" / name)
        self.log = open(folder / "log", "a+")
        self.extra = list(extra)
        self.process = None

    def start(self, env=None):
        args = [SPAWN]
        for name in ("config", "state", "run", "programs"):
            args += ["--" + name, str(self.folder / name)]
        self.process = subprocess.Popen(args + self.extra, stderr=self.log, stdin=subprocess.DEVNULL, env=env)
        return self

    def cordond(self):
        """The process number of cordond that runs now."""
        def look():
            for pid in children(self.process.pid):
                try:
                    if os.readlink(f"/proc/{pid}/exe").endswith("/cordond"):
                        return pid
                except FileNotFoundError:
                    pass
            return None
        return until(look)

    def control(self):
        def connect():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.settimeout(15)
            try:
                s.connect(str(self.folder / "run" / "control.sock"))
                return s
            except OSError:
                s.close()
                return None
        return until(connect)

    def text(self):
        with open(self.folder / "log") as f:
            return f.read()

    def stop(self):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.flush()
        return self.process.returncode


@pytest.fixture
def spawn(tmp_path):
    # pytest's own folders are closed to others, and workers must reach their programs
    base = tmp_path
    while base != base.parent and base.stat().st_uid == os.geteuid() and base.name:
        if not base.stat().st_mode & stat.S_IXOTH:
            base.chmod(0o755)
        base = base.parent
    s = Spawn(tmp_path / "s").start()
    yield s
    s.stop()
    print(s.text())     # of a test that failed, what it said is shown


def ask(s, text):
    s.send(text.encode())
    return s.recv(200).decode()


def start(s, proc, token):
    """The process number of a new worker."""
    answer = ask(s, f"start {proc} {token}").split()
    assert answer[0] == "SPAWN_STARTED", answer
    assert answer[1:3] == ["77", str(token)], answer
    assert answer[4:] == ["fd", "1"], answer
    pid = int(answer[3])
    until(lambda: os.readlink(f"/proc/{pid}/exe") != os.path.realpath(SPAWN))  # past its exec
    return pid


def check_rights(pid, user, caps, groups):
    st = status(pid)
    pw = pwd.getpwnam(user)
    assert st["Uid"].split() == [str(pw.pw_uid)] * 4
    assert st["Gid"].split() == [str(pw.pw_gid)] * 4
    assert st["Groups"].split() == [str(g) for g in groups]
    for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        assert int(st[name], 16) == caps, name
    assert st["NoNewPrivs"] == "1"
    assert st["SigBlk"] == "0" * 16
    with open(f"/proc/{pid}/environ") as f:
        assert sorted(f.read().rstrip("\0").split("\0")) == ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


def test_cordond_has_its_user_capability_and_descriptors(spawn):
    pid = spawn.cordond()
    spawn.control().close()
    check_rights(pid, "_cordon", CAP_NET_ADMIN, [])
    got = fds(pid)
    assert sorted(fd for fd in got if fd <= 6) == [0, 1, 2, 3, 4, 5, 6]
    assert got[0] == got[1] == "/dev/null"
    assert all(got[fd].startswith("socket:") for fd in (3, 4, 6))
    assert got[5] == str(spawn.folder / "state/enforce")
    assert [fd for fd in got if fd > 6] in ([], [7])  # a client just accepted


def test_netlink_socket_is_one_and_the_same_after_a_restart(spawn):
    first = spawn.cordond()
    name = fds(first)[4]
    assert name in fds(spawn.process.pid).values()
    os.kill(first, signal.SIGKILL)
    second = until(lambda: spawn.cordond() != first and spawn.cordond())
    spawn.control().close()
    assert fds(second)[4] == name
    inode = name.split("[")[1].rstrip("]")
    with open("/proc/net/netlink") as f:
        line = next(row.split() for row in f if row.split()[-1] == inode)
    assert line[1] == "12" and int(line[2]) != 0  # NETLINK_NETFILTER, and bound


def test_spawn_keeps_only_what_it_needs(spawn):
    spawn.cordond()
    until(lambda: status(spawn.process.pid)["NoNewPrivs"] == "1")
    st = status(spawn.process.pid)
    want = 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 12  # KILL SETGID SETUID SETPCAP NET_ADMIN
    for name in ("CapEff", "CapPrm", "CapBnd"):
        assert int(st[name], 16) == want, name
    assert int(st["CapAmb"], 16) == 0 and int(st["CapInh"], 16) == 0
    if "__asan_init" not in subprocess.run(["nm", "-D", SPAWN], capture_output=True, text=True).stdout:
        assert st["Seccomp"] == "2"


def test_folders_and_socket(spawn):
    spawn.cordond()
    group = grp.getgrnam("cordon").gr_gid

    def is_like(path, user, gid, mode):
        st = os.stat(spawn.folder / path)
        assert (st.st_uid, st.st_gid, oct(stat.S_IMODE(st.st_mode))) == (
            pwd.getpwnam(user).pw_uid, gid, oct(mode)), path

    is_like("state/enforce", "_cordon", pwd.getpwnam("_cordon").pw_gid, 0o700)
    is_like("state/crl", "_cordon-pki", pwd.getpwnam("_cordon-pki").pw_gid, 0o700)
    is_like("state/evidence", "_cordon-flow", group, 0o2750)
    is_like("run/control.sock", "root", group, 0o660)
    is_like("run", "root", 0, 0o755)


@pytest.mark.parametrize("proc,user,extra,state", [
    (FLOW, "_cordon-flow", None, "state/evidence"),
    (PKI, "_cordon-pki", None, "state/crl"),
    (FETCH, "_cordon-fetch", None, None),
    (COMPILE, "_cordon-compile", "config", None),
])
def test_worker_has_its_user_and_nothing_else(spawn, proc, user, extra, state):
    c = spawn.control()
    pid = start(c, proc, 5)
    check_rights(pid, user, 0, [grp.getgrnam("cordon").gr_gid] if proc == COMPILE else [])
    got = fds(pid)
    want = {0: "/dev/null", 1: "/dev/null", 2: got[2], 3: got[3]}
    if extra:
        want[4] = str(spawn.folder / extra)
    if state:
        want[5] = str(spawn.folder / state)
    assert got == want
    assert got[3].startswith("socket:")
    # cordon-spawn keeps no copy of the worker's end
    assert got[3] not in fds(spawn.process.pid).values()


@pytest.mark.parametrize("proc", [0, SPAWN_ITSELF, ENFORCE, CTL, 8, 4294967295])
def test_anything_else_is_refused(spawn, proc):
    c = spawn.control()
    before = [spawn.cordond()]
    assert ask(c, f"start {proc} 9") == "SPAWN_FAILED 77 9 1 fd 0"  # EPERM
    assert children(spawn.process.pid) == before


def test_kill_and_exit_are_reported(spawn):
    c = spawn.control()
    pid = start(c, FLOW, 1)
    other = start(c, FLOW, 2)
    assert ask(c, "kill 1") == "ok"
    assert ask(c, "wait") == f"SPAWN_EXITED 0 1 {int(signal.SIGKILL)} fd 0"
    assert not alive(pid) and alive(other)
    assert ask(c, "kill 1") == "ok"  # gone already: no harm
    assert ask(c, "tell 2 x") == "ok"
    assert ask(c, "wait") == f"SPAWN_EXITED 0 2 {7 << 8} fd 0"
    pid = start(c, PKI, 1)  # the token is free again
    assert ask(c, "tell 1 a") == "ok"
    answer = ask(c, "wait").split()
    assert answer[:3] == ["SPAWN_EXITED", "0", "1"] and int(answer[3]) & 0x7f == signal.SIGABRT


def test_program_that_is_not_there(spawn):
    os.unlink(spawn.folder / "programs/cordon-pki")
    c = spawn.control()
    answer = ask(c, f"start {PKI} 3").split()
    assert answer[0] == "SPAWN_STARTED"
    assert ask(c, "wait") == f"SPAWN_EXITED 0 3 {127 << 8} fd 0"
    assert "cannot start" in spawn.text()


def test_configuration_folder_that_is_not_there(spawn):
    os.rmdir(spawn.folder / "config")
    c = spawn.control()
    assert ask(c, f"start {COMPILE} 3") == "SPAWN_FAILED 77 3 2 fd 0"  # ENOENT
    os.mkdir(spawn.folder / "config")
    start(c, COMPILE, 4)


def test_too_many_workers(spawn):
    c = spawn.control()
    for token in range(64):
        start(c, FETCH, token)
    assert ask(c, f"start {FETCH} 64") == "SPAWN_FAILED 77 64 11 fd 0"  # EAGAIN
    assert ask(c, "kill 0") == "ok"
    assert ask(c, "wait").startswith("SPAWN_EXITED 0 0 9 ")
    start(c, FETCH, 64)


@pytest.mark.parametrize("text", ["raw 0 8", "raw 99999 8", "raw 1 7", "raw 2 8", "raw 6 7", "raw 9 8", "raw 4 200"])
def test_cordond_that_breaks_the_protocol_is_killed_and_started_again(spawn, text):
    first = spawn.cordond()
    c = spawn.control()
    worker = start(c, FLOW, 1)
    assert ask(c, text) == "ok"
    until(lambda: not alive(first))
    assert "broke the protocol and is killed" in spawn.text()
    until(lambda: not alive(worker))  # by itself, at the end of its channel
    second = until(lambda: spawn.cordond() != first and spawn.cordond())
    # the new one knows no tokens of the old one
    c = spawn.control()
    start(c, FLOW, 1)
    assert alive(second)


def test_the_same_bytes_in_order_are_a_request(spawn):
    """What the test above breaks is the header alone."""
    first = spawn.cordond()
    c = spawn.control()
    assert ask(c, "raw 1 8") == "ok"
    assert ask(c, "wait") == "SPAWN_FAILED 0 0 1 fd 0"
    assert alive(first)


def test_token_used_twice_is_a_broken_protocol(spawn):
    first = spawn.cordond()
    c = spawn.control()
    start(c, FLOW, 1)
    c.send(f"start {PKI} 1".encode())
    until(lambda: not alive(first))
    assert "used a token twice" in spawn.text()


def test_cordond_that_does_not_read_is_killed(spawn):
    first = spawn.cordond()
    c = spawn.control()
    assert ask(c, "flood 200000") == "ok"
    until(lambda: not alive(first), 30)
    assert "does not take its messages" in spawn.text()
    spawn.control()


def test_channel_closed_without_an_end(spawn):
    first = spawn.cordond()
    c = spawn.control()
    assert ask(c, "hang up") == "ok"
    until(lambda: not alive(first))
    assert "closed its channel" in spawn.text()


def test_worker_that_hangs_is_killed_before_the_restart(spawn):
    first = spawn.cordond()
    c = spawn.control()
    hanging = start(c, FLOW, 1)
    ending = start(c, PKI, 2)
    assert ask(c, "tell 1 h") == "ok"
    begin = time.monotonic()
    c.send(b"exit 3")
    until(lambda: not alive(first))
    until(lambda: not alive(ending), 2)
    assert alive(hanging)
    spawn.control()
    until(lambda: spawn.cordond() != first)
    assert not alive(hanging)
    assert 2.5 < time.monotonic() - begin < 10


def test_hangup_is_handed_on(spawn):
    first = spawn.cordond()
    start(spawn.control(), FLOW, 1)  # it answers: so its handler stands, and the signal is not ignored
    spawn.process.send_signal(signal.SIGHUP)
    until(lambda: not alive(first))  # the stand-in ends with 42
    until(lambda: "ended with status 42" in spawn.text())
    assert spawn.process.poll() is None


def test_stop_ends_all_and_cleans_up(spawn):
    c = spawn.control()
    pids = [spawn.cordond(), start(c, FLOW, 1), start(c, PKI, 2)]
    begin = time.monotonic()
    assert spawn.stop() == 0
    assert time.monotonic() - begin < 3
    assert not any(alive(p) for p in pids)
    assert os.listdir(spawn.folder / "run") == []


def test_stop_kills_who_does_not_hear(spawn):
    c = spawn.control()
    pids = [spawn.cordond(), start(c, FLOW, 1)]
    assert ask(c, "tell 1 h") == "ok"
    assert ask(c, "deaf") == "ok"
    begin = time.monotonic()
    assert spawn.stop() == 0
    assert 4.5 < time.monotonic() - begin < 9
    assert not any(alive(p) for p in pids)
    assert os.listdir(spawn.folder / "run") == []


def test_killed_spawn_leaves_nobody_and_the_next_one_starts(spawn):
    c = spawn.control()
    pids = [spawn.cordond(), start(c, FLOW, 1), start(c, FETCH, 2)]
    spawn.process.kill()
    spawn.process.wait()
    until(lambda: not any(alive(p) for p in pids))
    assert "control.sock" in os.listdir(spawn.folder / "run")
    spawn.start()
    start(spawn.control(), FLOW, 1)


def test_second_one_is_refused(spawn):
    first = spawn.cordond()
    spawn.control()
    other = Spawn(spawn.folder).start()
    assert other.process.wait(15) == 1
    assert "another cordon-spawn" in spawn.text()
    assert alive(first) and "control.sock" in os.listdir(spawn.folder / "run")


def test_state_is_not_shared(spawn, tmp_path):
    first = spawn.cordond()
    spawn.control()
    other = Spawn(tmp_path / "other")
    shutil.rmtree(tmp_path / "other/state")
    os.symlink(spawn.folder / "state", tmp_path / "other/state")
    other.start()
    assert other.process.wait(15) == 1
    assert "in use by another cordon" in other.text()
    assert alive(first) and spawn.process.poll() is None


def test_next_one_waits_for_a_cordond_that_is_left_over(spawn):
    c = spawn.control()
    first = spawn.cordond()
    assert ask(c, "deaf") == "ok"
    spawn.process.kill()
    spawn.process.wait()
    assert alive(first)
    spawn.start()
    assert spawn.process.wait(15) == 1  # two of them would write one state
    spawn.start()
    os.kill(first, signal.SIGKILL)
    until(lambda: not alive(first))
    start(spawn.control(), FLOW, 1)  # the old socket's name refuses until it is the new one's


def test_log_that_goes_away_ends_nobody(spawn):
    spawn.stop()
    read_end, write_end = os.pipe()
    spawn.log.close()
    spawn.log = os.fdopen(write_end, "w")
    spawn.start()
    spawn.log.close()
    os.close(read_end)
    first = spawn.cordond()
    spawn.control()
    os.kill(first, signal.SIGKILL)
    until(lambda: spawn.cordond() != first)
    spawn.log = open(spawn.folder / "log", "a+")
    assert spawn.stop() == 0


def test_systemd_is_told(spawn):
    spawn.stop()
    path = str(spawn.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(15)
        spawn.start(env={"NOTIFY_SOCKET": path})
        c = spawn.control()
        spawn.cordond()
        assert select.select([s], [], [], 0.3)[0] == []     # it runs, but no rules stand yet
        assert ask(c, "loaded") == "ok"
        assert s.recv(100) == b"READY=1"
        spawn.process.terminate()
        assert s.recv(100) == b"STOPPING=1"


def test_switch_ends_a_cordond_that_hangs(spawn):
    pid = spawn.cordond()
    assert ask(spawn.control(), "arm 600") == "ok"
    os.kill(pid, signal.SIGSTOP)
    begin = time.monotonic()
    until(lambda: not alive(pid))
    assert time.monotonic() - begin > 0.4
    assert "let a deadline pass" in spawn.text()
    assert spawn.cordond() != pid
    second = spawn.cordond()    # once: the next one is left in peace
    time.sleep(0.8)
    assert alive(second)


def test_switch_is_disarmed_and_armed_anew(spawn):
    pid = spawn.cordond()
    c = spawn.control()
    assert ask(c, "arm 400") == "ok"
    assert ask(c, "disarm") == "ok"
    time.sleep(0.7)
    assert alive(pid)
    assert ask(c, "arm 300") == "ok"
    assert ask(c, "arm 60000") == "ok"     # the second counts
    time.sleep(0.6)
    assert alive(pid)


def test_switch_outlives_the_cordond_that_armed_it(spawn):
    """One that comes back and hangs before it reads its file is ended as well."""
    pid = spawn.cordond()
    assert ask(spawn.control(), "arm 1500") == "ok"
    os.kill(pid, signal.SIGKILL)
    second = until(lambda: spawn.cordond() != pid and spawn.cordond())
    until(lambda: not alive(second))
    assert "let a deadline pass" in spawn.text()


@pytest.mark.parametrize("ms", [0, 86400 * 1000 + 600001, 0xffffffff])
def test_a_time_that_there_is_none_of_is_a_breach(spawn, ms):
    pid = spawn.cordond()
    ask(spawn.control(), f"arm {ms}")
    until(lambda: not alive(pid))
    assert "asked for a time that there is none of" in spawn.text()


def test_the_longest_time_is_taken(spawn):
    pid = spawn.cordond()
    assert ask(spawn.control(), f"arm {86400 * 1000 + 600000}") == "ok"
    time.sleep(0.3)
    assert alive(pid)


def test_crashes_in_a_row_are_slowed_down(spawn):
    pid = spawn.cordond()
    os.unlink(spawn.folder / "programs/cordond")
    os.kill(pid, signal.SIGKILL)
    until(lambda: "starts again in 400 ms" in spawn.text())
    assert spawn.process.poll() is None
    shutil.copy(FAKE, spawn.folder / "programs/cordond")
    spawn.control()
    spawn.cordond()


def test_options_for_cordond(spawn):
    spawn.stop()
    spawn.extra = ["--force-absent", "one,two", "--debug"]
    spawn.start()
    c = spawn.control()
    worker = start(c, FLOW, 1)
    compiler = start(c, COMPILE, 2)

    def arguments(pid):
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read().rstrip("\0").split("\0")[1:]

    assert arguments(spawn.cordond()) == ["--debug", "--force-absent", "one,two"]
    assert arguments(worker) == ["--debug"]
    assert arguments(compiler) == ["--worker"]


def test_usage():
    assert subprocess.run([SPAWN, "--version"], capture_output=True).stdout.startswith(b"cordon-spawn ")
    assert b"--programs" in subprocess.run([SPAWN, "--help"], capture_output=True).stdout
    assert subprocess.run([SPAWN, "--what"], capture_output=True).returncode == 64
    assert subprocess.run([SPAWN, "what"], capture_output=True).returncode == 64
    assert subprocess.run([SPAWN, "--run", "run"], capture_output=True).returncode == 1
