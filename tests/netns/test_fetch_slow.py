# SPDX-License-Identifier: GPL-2.0-or-later
"""Half a minute below a kilobyte per second is no transfer, and ten seconds are enough to
connect: the bounds of cordon-fetch that no limit of cordond reaches. All at the same time."""
import os
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from fetcher import Fetcher                     # noqa: E402
from hostile_server import Directory, Hostile, dead_port    # noqa: E402

pytestmark = pytest.mark.once

TIMED_OUT = 28
SLOW = ["/hang", "/drip-body?every=1", "/drip-headers?every=1", "/slow?rate=500&size=1000000", "/length-long-hang",
        "/slow?rate=3000&size=100000"]
CONNECTS, STOPS = (9.5, 13), (29, 38)


@pytest.fixture(scope="module")
def results():
    """{what: result} of all of them."""
    found = {}

    def one(what, url, **options):
        found[what] = Fetcher(timeout_s=60).fetch(url, **options)

    with Hostile() as s, Directory([], how="hang") as d, dead_port() as port, \
            Hostile() as mute:
        mute.serve = lambda _c: mute.wait(600)      # takes connections and reads nothing
        jobs = {path: (s.url(path), {}) for path in SLOW}
        jobs["dead port"] = (f"http://127.0.0.1:{port}/", {})
        jobs["dead proxy"] = (s.url("/plain"), {"proxy": f"http://127.0.0.1:{port}/"})
        jobs["no handshake"] = (f"https://127.0.0.1:{mute.port}/", {})
        jobs["directory"] = (d.url("/cn=CA"), {})
        threads = [threading.Thread(target=one, args=(what, url), kwargs=options)
                   for what, (url, options) in jobs.items()]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    return found


@pytest.mark.parametrize("what", SLOW[:-1] + ["directory"])
def test_what_is_too_slow_is_ended(results, what):
    r = results[what]
    assert (r.error, r.detail) == ("E_FETCH", TIMED_OUT) and STOPS[0] < r.seconds < STOPS[1], r


@pytest.mark.parametrize("what", ["dead port", "dead proxy", "no handshake"])
def test_who_does_not_connect_in_time(results, what):
    r = results[what]
    assert (r.error, r.detail) == ("E_FETCH", TIMED_OUT) and CONNECTS[0] < r.seconds < CONNECTS[1], r


def test_what_is_only_slow_comes(results):
    r = results[SLOW[-1]]
    assert r.error == "E_NONE" and r.crl.size == 100000 and r.seconds > 25
