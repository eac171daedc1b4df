# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon-fetch watching files: it tells of every change, soon, once, and rests otherwise."""
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from fetcher import Watcher         # noqa: E402

pytestmark = pytest.mark.once

SOON = 5.0      # by when something must have come
QUIET = 1.3     # in which nothing must


@pytest.fixture
def folder():
    # the fetcher may have another user than the tests
    with tempfile.TemporaryDirectory(prefix="cordon-fetch-") as path:
        os.chmod(path, 0o755)
        yield path


def write(*path, data=b"crl"):
    """As who publishes does: beside it, then in its place."""
    name = os.path.join(*path)
    with open(name + ".tmp", "wb") as f:
        f.write(data)
    os.rename(name + ".tmp", name)


@contextlib.contextmanager
def watching(*urls):
    """After the first word about each."""
    with Watcher(dict(enumerate(urls))) as w:
        assert sorted(w.next(SOON) for _ in urls) == list(range(len(urls)))
        time.sleep(0.05)
        yield w


def test_a_file_that_is_replaced_and_one_that_is_written(folder):
    write(folder, "a")
    write(folder, "b")
    with watching(f"file://{folder}/a", f"file://{folder}/b") as w:
        start = time.monotonic()
        write(folder, "a", data=b"new")
        assert w.next(SOON) == 0 and time.monotonic() - start < 2
        with open(f"{folder}/b", "ab") as f:
            f.write(b"more")
        assert w.next(SOON) == 1
        write(folder, "c")
        os.unlink(f"{folder}/c")
        assert w.changes(QUIET) == {}


def test_nothing_is_told_twice_or_too_often(folder):
    write(folder, "a")
    with watching(f"file://{folder}/a") as w:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            write(folder, "a", data=str(time.monotonic()).encode())
            time.sleep(0.01)
        assert 2 <= w.changes(1.5)[0] <= 5
        assert w.changes(QUIET) == {}


def test_a_link_that_is_swapped(folder):
    """As an orchestrator publishes: current -> releases/2, in one step."""
    for n in (1, 2):
        os.makedirs(f"{folder}/releases/{n}")
        write(folder, "releases", str(n), "a.crl", data=b"%d" % n)
    os.symlink("releases/1", f"{folder}/current")
    os.symlink("current/a.crl", f"{folder}/a.crl")
    with watching(f"file://{folder}/current/a.crl", f"file://{folder}/a.crl", f"file://{folder}/current/") as w:
        os.symlink("releases/2", f"{folder}/next")
        os.rename(f"{folder}/next", f"{folder}/current")
        assert w.changes(QUIET) == {0: 1, 1: 1, 2: 1}
        write(folder, "releases", "1", "a.crl", data=b"old")
        assert w.changes(QUIET) == {}
        write(folder, "releases", "2", "a.crl", data=b"new")
        assert w.changes(QUIET) == {0: 1, 1: 1, 2: 1}


def test_a_folder(folder):
    with watching(f"file://{folder}/") as w:
        write(folder, "a")
        assert w.changes(QUIET) == {0: 1}
        with open(f"{folder}/.hidden", "wb") as f:
            f.write(b"x")
        assert w.changes(QUIET) == {}
        os.chmod(f"{folder}/a", 0o600)
        assert w.changes(QUIET) == {0: 1}
        os.unlink(f"{folder}/a")
        assert w.changes(QUIET) == {0: 1}


def test_a_folder_that_comes_goes_and_comes_again(folder):
    deep = f"{folder}/x/y/z"
    with watching(f"file://{deep}/a.crl", f"file://{deep}/") as w:
        for _ in range(2):
            os.makedirs(deep)
            assert w.changes(QUIET).keys() <= {1}
            write(deep, "a.crl")
            assert w.changes(QUIET) == {0: 1, 1: 1}
            shutil.rmtree(f"{folder}/x")
            assert w.changes(QUIET) == {0: 1, 1: 1}
        os.makedirs(f"{folder}/elsewhere/y/z")
        write(folder, "elsewhere/y/z/a.crl")
        assert w.changes(QUIET) == {}
        os.rename(f"{folder}/elsewhere", f"{folder}/x")
        assert w.changes(QUIET) == {0: 1, 1: 1}


def test_others_may_be_watched_in_its_place(folder):
    write(folder, "a")
    write(folder, "b")
    with watching(f"file://{folder}/a") as w:
        w.watch(0, f"file://{folder}/b")
        assert w.next(SOON) == 0
        write(folder, "a", data=b"new")
        assert w.changes(QUIET) == {}
        write(folder, "b", data=b"new")
        assert w.next(SOON) == 0
        w.watch(0, "")
        write(folder, "b", data=b"newer")
        assert w.changes(QUIET) == {}
        w.watch(7, "http://127.0.0.1/")
        assert w.changes(0.3) == {} and w.process.wait(0) is None


def test_when_the_kernel_loses_events_all_may_have_changed(folder):
    with open("/proc/sys/fs/inotify/max_queued_events", encoding="ascii") as f:
        most = int(f.read())
    if most > 50000:
        pytest.skip(f"{most} events fit into the queue")
    write(folder, "a")
    os.mkdir(f"{folder}/other")
    with watching(f"file://{folder}/a", f"file://{folder}/other/") as w:
        os.kill(w.process.pid, signal.SIGSTOP)
        for i in range(most // 2 + 100):
            name = f"{folder}/other/{i}.tmp"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            os.unlink(name)
        os.kill(w.process.pid, signal.SIGCONT)
        assert w.changes(3) == {0: 1, 1: 1}
        write(folder, "a", data=b"new")
        assert w.next(SOON) == 0


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_it_rests_while_nothing_happens_and_under_noise(folder):
    write(folder, "a")
    with watching(f"file://{folder}/a") as w:
        before = cpu_ticks(w.process.pid)
        assert w.changes(1) == {} and cpu_ticks(w.process.pid) - before <= 1
        end = time.monotonic() + 1
        while time.monotonic() < end:
            write(folder, "noise")
        assert w.changes(0.5) == {} and cpu_ticks(w.process.pid) - before < 50


def test_it_has_no_network_and_ends_with_its_channel(folder):
    with watching(f"file://{folder}/a") as w:
        with open(f"/proc/{w.process.pid}/status", encoding="ascii", errors="replace") as f:
            status = dict(line.split(":\t", 1) for line in f if ":\t" in line)
        assert status["Seccomp_filters"].strip() == "2" and status["CapEff"].strip("0\n") == ""
        w.process.pki.close()
        assert w.process.wait() == 0
