# SPDX-License-Identifier: GPL-2.0-or-later
"""A change that nobody confirms ends by itself: real lock-outs, from the management host's side.

The management host works over TCP port 22 of the router. The policy that locks it out takes the
interface that it comes in by for one of devices."""
import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest
import xxhash

from lab.topology import ROUTER4, ROUTER6, wait_for

pytestmark = pytest.mark.once

PORT = 22
OUT = "out0"
SHORT = "2s"
LONG = "60s"


class Session:
    """A TCP connection from the management host to the router, and an end that answers there."""

    def __init__(self, world, family):
        host, router = world.lab.mgmt, world.lab.router
        self.family = family
        address = ROUTER6 if family == 6 else ROUTER4
        kind = socket.AF_INET6 if family == 6 else socket.AF_INET
        listener = router.socket(kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, PORT))
        listener.listen(1)
        self.near = host.ns.socket(kind)
        self.near.settimeout(5)
        self.near.connect((address, PORT))
        self.far, peer = listener.accept()
        listener.close()
        self.ssh_connection = f"{peer[0]} {peer[1]} {address} {PORT}"
        self.n = 0
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self):
        with contextlib.suppress(OSError):
            while data := self.far.recv(4096):
                self.far.sendall(data)

    def answers(self, within=0.5):
        """Does what is typed come back in time? What was typed before may come first."""
        self.n += 1
        line = b"%d\n" % self.n
        end = time.monotonic() + within
        got = b""
        with contextlib.suppress(TimeoutError):
            self.near.sendall(line)
            while (left := end - time.monotonic()) > 0:
                self.near.settimeout(left)
                got += self.near.recv(4096)
                if got.endswith(line):
                    return True
        return False

    def close(self):
        self.near.close()
        self.far.close()


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 2), ("gateway", 1)])


@pytest.fixture(autouse=True)
def clean(request):
    """Every test begins with the usual policy, in force for good."""
    world = request.node.funcargs.get("world")
    if world is None:
        yield
        return
    settle(world)
    yield
    for victim in ("cordond", "cordon-spawn"):
        world.cordon.kill(victim, signal.SIGCONT)
    settle(world)


def settle(world):
    if world.cordon.spawn_pid() is None:
        world.cordon.start()
    wait_for("cordond", lambda: world.cordon.try_ctl("status").returncode in (0, 1), 20, 0.05)
    if world.status()["waits"]:
        world.cordon.ctl("policy", "rollback")
    world.site.interfaces = world.lab.ports()
    world.site.write()
    status = world.status()
    if status["given_up"] or status["devices"] == 0:
        world.cordon.ctl("policy", "apply")


@pytest.fixture
def session(world, family):
    made = Session(world, family)
    assert made.answers()
    yield made
    made.close()


def lock_out(world):
    """The candidate: the management host is on an interface of devices, and none of them."""
    world.site.interfaces = [*world.lab.ports(), OUT]
    world.site.write()


def apply(world, *words, code=0):
    done = world.cordon.try_ctl("policy", "apply", *words, "--json")
    assert done.returncode == code, (done.stdout, done.stderr)
    return json.loads(done.stdout)


def history(world, what=None):
    rows = world.cordon.ask("policy", "history")["history"]
    return [row for row in rows if what in (None, row["what"])]


def wait_reverted(world, revision, timeout=10):
    def look():
        with contextlib.suppress(Exception):
            status = world.status()
            return status if status["given_up"] == revision else None
    return wait_for(f"revision {revision} to be left", look, timeout, 0.05)


def over_ssh(world, session, *words, user=None):
    """cordonctl as from the management host's shell, on the router."""
    env = dict(os.environ, SSH_CONNECTION=session.ssh_connection)
    argv = world.cordon.command(*words)
    return world.lab.router.run(argv, check=False, env=env)


# ---- the lock-out -----------------------------------------------------------

def test_locked_out_and_back_without_help(world, session):
    device = world.lab.devices[0]
    before, pid = world.status()["revision"], world.cordon.pids()["cordond"]
    lock_out(world)
    applied = apply(world, "--confirm", SHORT)
    assert applied["waits"]["revision"] == before + 1 and applied["waits"]["before"] == before
    assert not session.answers(0.7), "the policy did not lock out"
    wait_for("the connection to come back", lambda: session.answers(0.3), 12, 0.05)
    status = wait_reverted(world, before + 1)
    assert status["revision"] == before + 2 and status["waits"] is None
    assert world.delivered(device, world.lab.server, 4) == 4
    row = history(world, "reverted")[0]
    assert (row["other"], row["revision"], row["why"]) == (before + 1, before + 2, "deadline")
    assert row["who"]["uid"] is None
    assert "REVERTED" in world.cordon.log_tail(20)
    assert world.cordon.pids()["cordond"] == pid    # nobody had to end it
    assert any("was left" in note for note in status["notes"])


def test_confirmed_it_stays(world):
    before, pid = world.status()["revision"], world.cordon.pids()["cordond"]
    apply(world, "--confirm", SHORT)
    assert world.status()["waits"]["revision"] == before + 1
    done = world.cordon.ask("policy", "confirm")
    assert done["confirmed"] and done["waits"]["revision"] == before + 1
    time.sleep(5.3)     # neither our clock nor the switch has anything to do any more
    assert world.cordon.pids()["cordond"] == pid
    status = world.status()
    assert status["revision"] == before + 1 and status["waits"] is None and not status["given_up"]
    row = history(world, "confirmed")[0]
    assert row["revision"] == before + 1 and row["who"]["uid"] == 0
    world.cordon.stop()
    world.cordon.start()
    assert world.status()["revision"] == before + 1
    again = world.cordon.try_ctl("policy", "confirm")
    assert again.returncode == 1 and "no policy waits" in again.stderr


def test_cordond_killed_in_the_window(world, session):
    before = world.status()["revision"]
    lock_out(world)
    apply(world, "--confirm", "3s")
    end = time.monotonic() + 3
    world.cordon.kill("cordond")
    wait_for("cordond to be back", lambda: world.cordon.try_ctl("status").returncode in (0, 1), 10, 0.05)
    if time.monotonic() < end - 0.8:    # it goes on with what is left of its time
        assert world.status()["waits"]["revision"] == before + 1
        assert not session.answers(0.3)
    wait_reverted(world, before + 1)
    assert time.monotonic() > end - 0.1
    wait_for("the connection to come back", lambda: session.answers(0.3), 12, 0.05)


def test_cordond_hangs_in_the_window(world, session):
    """cordon-spawn's switch ends it, and the one that starts after it goes back."""
    before = world.status()["revision"]
    lock_out(world)
    apply(world, "--confirm", SHORT)
    pid = world.cordon.kill("cordond", signal.SIGSTOP)
    wait_for("the connection to come back", lambda: session.answers(0.3), 15, 0.05)
    wait_reverted(world, before + 1)
    assert world.cordon.pids()["cordond"] != pid
    assert "let a deadline pass" in world.cordon.log_tail(60)


def everybody_dies(world):
    """As when the power goes, but for the kernel."""
    world.cordon.kill("cordon-spawn")
    world.cordon.kill("cordond")
    world.cordon.reap()
    wait_for("all to be gone", lambda: not world.cordon.pids(), 10, 0.02)


def test_all_killed_and_started_after_the_deadline(world, session):
    before = world.status()["revision"]
    lock_out(world)
    apply(world, "--confirm", SHORT)
    everybody_dies(world)
    time.sleep(2.2)
    assert not session.answers(0.3)     # the rules stand as they were left
    world.cordon.start()
    status = world.status()
    assert status["given_up"] == before + 1 and status["waits"] is None
    wait_for("the connection to come back", lambda: session.answers(0.3), 12, 0.05)


def test_all_killed_and_started_before_the_deadline(world):
    before = world.status()["revision"]
    apply(world, "--confirm", LONG)
    everybody_dies(world)
    world.cordon.start()
    status = world.status()
    assert status["revision"] == before + 1
    assert 1000 < status["waits"]["left_ms"] < 60000
    world.cordon.ctl("policy", "confirm")
    assert world.status()["revision"] == before + 1


def pending_path(world):
    return os.path.join(world.cordon.state, "enforce", "policy.pending")


def another_boot(path):
    """The file as it would be had the machine been booted since: sound, with another boot id."""
    with open(path, "r+b") as f:
        data = bytearray(f.read())
        data[48] ^= 0xff
        data[-8:] = xxhash.xxh3_128(data[:-8]).digest()[:8]
        f.seek(0)
        f.write(data)


def damaged(path):
    with open(path, "r+b") as f:
        f.seek(30)
        f.write(b"\xff\xff")


@pytest.mark.parametrize("bend, why", [(another_boot, "boot"), (damaged, "damaged"), (os.unlink, "damaged")],
                         ids=["another boot", "damaged file", "lost file"])
def test_started_with_time_left_and_no_right_to_it(world, bend, why):
    before = world.status()["revision"]
    apply(world, "--confirm", LONG)
    everybody_dies(world)
    bend(pending_path(world))
    world.cordon.start()
    status = world.status()
    assert status["given_up"] == before + 1 and status["waits"] is None
    assert status["revision"] == before + 2
    row = history(world, "reverted")[0]
    assert row["why"] == why and row["other"] == before + 1
    assert not os.path.exists(pending_path(world))


def test_first_start(make_world):
    """Nothing was before: what comes back is the closed appliance."""
    world = make_world(kinds=[("sensor", 1)], start=False)
    device = world.lab.devices[0]
    world.cordon.start()
    assert world.status()["revision"] == 0
    world.site.write()
    apply(world, "--confirm", SHORT)
    assert world.delivered(device, world.lab.server, 4) == 4
    status = wait_reverted(world, 1)
    assert status["revision"] == 2 and status["devices"] == 0
    assert world.refused(device, world.lab.server, 4, 5000)
    world.cordon.stop()
    world.cordon.start()
    assert world.status()["revision"] == 2
    assert world.refused(device, world.lab.server, 4, 5000)
    assert world.cordon.apply()["revision"] == 3
    assert world.delivered(device, world.lab.server, 4) == 4


def test_full_disk_in_the_window(make_world):
    """Nothing can be written any more; going back does not wait for that."""
    world = make_world(kinds=[("sensor", 1)], start=False)
    device, state = world.lab.devices[0], world.cordon.state
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", state], check=True)
    try:
        world.start()
        world.site.classes["sensor"] = ['{ to = "192.0.2.3"; udp = 5000; }']
        world.site.write()
        apply(world, "--confirm", SHORT)
        assert world.delivered(device, world.lab.other, 4) == 4
        ballast = os.path.join(state, "ballast")
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
            while True:
                f.write(b"\0" * 4096)
        status = wait_reverted(world, 2)
        assert status["revision"] == 3
        assert world.refused(device, world.lab.other, 4, 5000)
        assert world.delivered(device, world.lab.server, 4) == 4
        os.unlink(ballast)
        world.cordon.stop()
        world.cordon.start()
        assert world.status()["revision"] == 3
        assert history(world, "reverted")[0]["other"] == 2
        assert world.refused(device, world.lab.other, 4, 5000)
    finally:
        world.cordon.stop()
        subprocess.run(["umount", state], check=True)


def test_a_quarantine_of_meanwhile_stays(world):
    device = world.lab.devices[0]
    apply(world, "--confirm", LONG)
    world.quarantine(device)
    world.cordon.ctl("policy", "rollback")
    assert world.station(device) == "quarantined"
    world.release(device)


def test_a_quarantine_comes_back_with_its_device(world):
    """The trial's policy has lost the device; nobody released it."""
    device = world.lab.devices[0]
    world.quarantine(device)
    with world.changed() as site:
        site.devices = [d for d in site.devices if d is not device]
        site.write()
        apply(world, "--confirm", LONG)
        world.cordon.ctl("policy", "rollback")
        assert world.station(device) == "quarantined"
        assert world.refused(device, world.lab.server, 4, 5000)
    world.release(device)
    assert world.delivered(device, world.lab.server, 4) == 4


# ---- two of them ------------------------------------------------------------

def test_one_waits_and_another_comes(world):
    before = world.status()["revision"]
    apply(world, "--confirm", LONG)
    for words in (("apply",), ("apply", "--confirm", "5s"), ("rollback", str(before)),
                  ("rollback", "--confirm", "5s")):
        done = world.cordon.try_ctl("policy", *words, "--json")
        answer = json.loads(done.stdout)
        assert done.returncode == 1 and answer["refused"] == "waits", words
        assert answer["waits"]["revision"] == before + 1 and answer["waits"]["who"]["uid"] == 0
        assert 0 < answer["waits"]["left_ms"] <= 60000
    said = world.cordon.try_ctl("policy", "apply").stderr
    for part in (f"revision {before + 1} waits", "by root", "policy confirm", "policy rollback"):
        assert part in said, said
    assert world.status()["revision"] == before + 1
    done = subprocess.run(world.cordon.command("policy", "confirm"), env=dict(os.environ, SUDO_USER="bob"),
                          text=True, capture_output=True, check=False)
    assert done.returncode == 0
    assert history(world, "confirmed")[0]["who"]["claimed"] == "bob"


def test_one_compiles_and_another_comes(world):
    before = world.status()["revision"]
    world.cordon.kill("cordon-spawn", signal.SIGSTOP)       # so the compiler does not come
    first = subprocess.Popen(world.cordon.command("policy", "apply"), env=dict(os.environ, SUDO_USER="alice"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def refused():
        done = world.cordon.try_ctl("policy", "rollback", str(before), "--json")
        answer = json.loads(done.stdout)
        return (done, answer) if answer.get("refused") == "busy" else None
    done, answer = wait_for("the other to be refused", refused, 5, 0.05)
    assert done.returncode == 1 and answer["waits"]["who"]["claimed"] == "alice"
    said = world.cordon.try_ctl("policy", "apply")
    assert said.returncode == 1 and "another change is being made, by root (says: alice)" in said.stderr
    world.cordon.kill("cordon-spawn", signal.SIGCONT)
    out, err = first.communicate(timeout=20)
    assert first.returncode == 0, (out, err)


def test_reload_is_a_change_like_others(world):
    """SIGHUP: nobody is told, so the history and the log must say it."""
    before = world.status()["revision"]
    world.cordon.kill("cordon-spawn", signal.SIGHUP)
    wait_for("the reload", lambda: world.status()["revision"] == before + 1, 10, 0.05)
    row = history(world, "applied")[0]
    assert row["who"]["uid"] is None and row["who"]["claimed"] == "reload"
    apply(world, "--confirm", LONG)
    world.cordon.kill("cordon-spawn", signal.SIGHUP)
    wait_for("the refusal", lambda: "the policy is not applied: another change" in world.cordon.log_tail(5), 10, 0.05)
    assert world.status()["revision"] == before + 2


# ---- the own connection -----------------------------------------------------

def test_refused_when_it_cuts_the_own_connection(world, session):
    before = world.status()["revision"]
    lock_out(world)
    done = over_ssh(world, session, "policy", "apply")
    assert done.returncode == 1, done.stdout
    for part in (world.lab.mgmt.address(session.family), f"port {PORT}", OUT, "--force", "services"):
        assert part in done.stderr, done.stderr
    answer = json.loads(over_ssh(world, session, "policy", "apply", "--confirm", SHORT, "--json").stdout)
    assert answer["refused"] == "lockout" and not answer["applied"]
    assert world.status()["revision"] == before and world.status()["waits"] is None
    assert not os.path.exists(pending_path(world))
    assert session.answers()
    done = over_ssh(world, session, "policy", "apply", "--force", "--confirm", SHORT)
    assert done.returncode == 0, done.stderr
    assert not session.answers(0.5)
    wait_reverted(world, before + 1)
    assert history(world, "applied")[0]["forced"]


def test_found_above_sudo(world, session):
    """sudo takes SSH_CONNECTION away; the shell above it still has it."""
    lock_out(world)
    env = dict(os.environ, SSH_CONNECTION=session.ssh_connection)
    inner = " ".join(["env", "-u", "SSH_CONNECTION", *world.cordon.command("policy", "apply")])
    done = world.lab.router.run(["sh", "-c", f"{inner}; exit $?"], check=False, env=env)
    assert done.returncode == 1 and OUT in done.stderr, (done.stdout, done.stderr)


def test_what_leaves_the_connection_alone_is_applied(world, session):
    done = over_ssh(world, session, "policy", "apply")
    assert done.returncode == 0, done.stderr
    assert session.answers()


def test_a_device_that_manages_the_appliance(world, family):
    """Its port 22 is a service, and then it is not."""
    device = world.lab.devices[0]
    address = ROUTER6 if family == 6 else ROUTER4
    line = f"{device.address(family)} 50000 {address} {PORT}"
    # the neighbour table knows its MAC only when they have talked
    world.delivered(device, world.lab.server, family)

    def try_apply():
        world.site.write()
        env = dict(os.environ, SSH_CONNECTION=line)
        return world.lab.router.run(world.cordon.command("policy", "apply"), check=False, env=env).returncode
    with world.changed() as site:
        site.services = [*site.services, "{ tcp = 22; }"]
        assert try_apply() == 0
        site.services = site.services[:-1]
        assert try_apply() == 1


# ---- waiting, going back, looking back --------------------------------------

def test_wait_until_it_is_decided(world):
    def begin(time_left):
        return subprocess.Popen(world.cordon.command("policy", "apply", "--confirm", time_left, "--wait", "--json"),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    waiting = begin(LONG)
    wait_for("it to wait", lambda: world.status()["waits"], 10, 0.05)
    world.cordon.ctl("policy", "confirm")
    out, err = waiting.communicate(timeout=10)
    assert waiting.returncode == 0, err
    assert json.loads(out)["outcome"] == "confirmed"
    waiting = begin(SHORT)
    wait_for("it to wait", lambda: world.status()["waits"], 10, 0.05)
    world.cordon.kill("cordond")        # whoever waits sees it through
    out, err = waiting.communicate(timeout=15)
    assert waiting.returncode == 2, (out, err)
    assert json.loads(out)["outcome"] == "reverted"


def test_rollback(world):
    device = world.lab.devices[0]
    before = world.status()["revision"]
    with world.changed() as site:
        site.classes["sensor"] = ['{ to = "192.0.2.3"; udp = 5000; }']
        assert world.apply()["revision"] == before + 1
        assert world.delivered(device, world.lab.other, 4) == 4
        answer = world.cordon.ask("policy", "rollback")
        assert answer["applied"] and answer["revision"] == before + 2 and answer["from"] == before
        assert world.refused(device, world.lab.other, 4, 5000)
        assert world.delivered(device, world.lab.server, 4) == 4
        answer = world.cordon.ask("policy", "rollback", str(before + 1), "--confirm", SHORT)
        assert answer["waits"]["revision"] == before + 3
        assert world.delivered(device, world.lab.other, 4) == 4
        wait_reverted(world, before + 3)
        assert world.refused(device, world.lab.other, 4, 5000)
        done = world.cordon.try_ctl("policy", "rollback", "999")
        assert done.returncode == 1 and "is not kept" in done.stderr
    row = history(world, "rolled-back")[0]
    assert row["revision"] == before + 3 and row["other"] == before + 1 and row["confirm_seconds"] == 2


def test_what_a_crash_kept_from_being_written_down(world):
    """The kernel has the policy and the history does not: the next start says so, and by whom."""
    path = os.path.join(world.cordon.state, "enforce", "policy.history")
    for words, claimed in ((("--confirm", LONG), "alice"), ((), None)):
        done = subprocess.run(world.cordon.command("policy", "apply", *words), check=False,
                              env=dict(os.environ, SUDO_USER="alice"))
        assert done.returncode == 0
        revision = world.status()["revision"]
        everybody_dies(world)
        os.truncate(path, os.path.getsize(path) - 136)
        world.cordon.start()
        row = history(world, "applied")[0]
        assert row["revision"] == revision and row["who"]["claimed"] == claimed
        if words:
            world.cordon.ctl("policy", "confirm")


def test_foreign_changes_are_in_the_history(world):
    """Where nobody owns the table others can change it."""
    if "own" in world.status()["table"]:
        pytest.skip("the table is owned: others cannot change it")
    world.lab.router.run(["nft", "flush", "ruleset"])
    wait_for("the record", lambda: history(world)[0]["what"] == "restored", 25, 0.1)


def test_history(world):
    apply(world)
    rows = history(world)
    assert rows[0]["what"] == "applied" and rows[0]["who"]["user"] == "root"
    assert [row["at"] for row in rows] == sorted((row["at"] for row in rows), reverse=True)
    revision = rows[0]["revision"]
    with world.changed() as site:
        site.classes["sensor"] = [*site.classes["sensor"], '{ to = "192.0.2.3"; udp = 7777; }']
        world.apply()
        said = world.cordon.ctl("policy", "history", str(revision + 1))
        assert f"from revision {revision} to {revision + 1}" in said and "7777" in said
        world.cordon.ask("policy", "history", str(revision + 1))
        assert world.cordon.try_ctl("policy", "history", "9999").returncode == 1
    text = world.cordon.ctl("policy", "history", "--limit", "2")
    assert len(text.splitlines()) == 3 and "applied" in text
