# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon-fetch against servers that fail, lie, flood and send it elsewhere: what it
says, how long it takes, and what memory it has then."""
import email.utils
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from fetcher import CRL, OCSP, Fetcher                      # noqa: E402
from hostile_server import PATTERN, Hostile, dead_port      # noqa: E402

pytestmark = pytest.mark.once

MOST = 1 << 20          # max_bytes of these transfers
SPARE_KB = 1024
TIMED_OUT, TOO_MANY_REDIRECTS, PARTIAL, REFUSED = 28, 47, 18, 7


@pytest.fixture(scope="module")
def server():
    with Hostile() as s:
        yield s


@pytest.fixture(scope="module")
def plain_kb(server):
    """The most memory of an honest transfer of the same size."""
    return max(Fetcher().fetch(server.url(f"/plain?size={MOST}")).peak_kb for _ in range(3))


def fetch(server, path, **options):
    result = Fetcher(max_bytes=MOST, timeout_s=2).fetch(server.url(path), **options)
    assert result.exit == 0, result
    return result


# ---- what an honest server gives -------------------------------------------------

def test_bodies_come_whole(server):
    for path, size in (("/plain?size=100000", 100000), ("/chunked?size=100000", 100000), ("/unsized?size=1000", 1000),
                       ("/empty", 0), ("/plain?size=32768", 32768), ("/plain?size=32769", 32769)):
        result = fetch(server, path)
        assert (result.error, result.crl.status, result.crl.part, result.crl.size) == ("E_NONE", 200, 0, size), path
        if path.startswith("/plain"):
            assert result.crl.data == (PATTERN * 2)[:size]


def test_validators_are_used(server):
    server.publish("/a.crl", b"first", modified="Sun, 01 Nov 2026 10:00:00 GMT")
    first = fetch(server, "/a.crl").crl
    assert first.etag.startswith('"') and first.modified == "Sun, 01 Nov 2026 10:00:00 GMT"
    again = fetch(server, "/a.crl", etag=first.etag, modified=first.modified)
    assert (again.error, again.crl.status, again.crl.size) == ("E_NONE", 304, 0)
    server.publish("/a.crl", b"second", modified="Sun, 01 Nov 2026 11:00:00 GMT")
    assert fetch(server, "/a.crl", etag=first.etag, modified=first.modified).crl.data == b"second"


def test_nothing_but_what_is_needed_is_asked(server):
    fetch(server, "/plain")
    headers = server.requests[-1].headers
    assert set(headers) == {"host", "user-agent", "accept"}
    assert headers["user-agent"] == "cordon"


def test_compressed_bodies_are_handed_on_as_they_are(server):
    result = fetch(server, "/gzipped")
    assert result.error == "E_NONE" and result.crl.data[:2] == b"\x1f\x8b"


# ---- failures --------------------------------------------------------------------

@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 500, 502, 503])
def test_an_error_page_is_no_crl(server, status):
    result = fetch(server, f"/status/{status}")
    assert (result.error, result.detail, result.crls) == ("E_FETCH", status, [])


def test_an_error_page_without_end_is_left(server, plain_kb):
    result = fetch(server, "/status-endless/404", timeout_s=20)
    assert (result.error, result.detail) == ("E_FETCH", 404) and result.seconds < 5
    assert result.peak_kb <= plain_kb + SPARE_KB


def test_nobody_there(server):
    with Hostile() as gone:
        url = gone.url("/a.crl")
    result = Fetcher(timeout_s=5).fetch(url)
    assert (result.error, result.detail) == ("E_FETCH", REFUSED) and result.seconds < 3


def test_a_name_that_nobody_knows():
    result = Fetcher(timeout_s=5).fetch("http://no-such-host.invalid/a.crl")
    assert result.error == "E_FETCH" and result.detail in (6, TIMED_OUT) and result.seconds < 6


@pytest.mark.parametrize("path", ["/nothing", "/reset", "/old-http", "/length-negative", "/chunked-cut", "/header-line",
                                  "/status-line"])
def test_an_answer_that_is_none(server, path):
    result = fetch(server, path)
    assert result.error == "E_FETCH" and result.seconds < 2, result


@pytest.mark.parametrize("value,low,high", [("77", 77, 77), ("0", 0, 0), ("-5", 0, 0), ("soon", 0, 0), ("1e9", 0, 0),
                                            ("99999999999999999999", 2592000, 2592000), ("", 0, 0)])
def test_retry_after_is_told(server, value, low, high):
    result = fetch(server, f"/status/503?retry-after={value}")
    assert low <= result.retry_after_s <= high and result.detail == 503


def test_retry_after_as_a_date_is_measured_by_the_servers_clock(server):
    then, now = (email.utils.formatdate(1000000000 + s, usegmt=True).replace(" ", "+") for s in (90, 0))
    assert fetch(server, f"/status/429?retry-after={then}&date={now}").retry_after_s == 90
    soon = email.utils.formatdate(time.time() + 60, usegmt=True).replace(" ", "+")
    assert 50 <= fetch(server, f"/status/503?retry-after={soon}").retry_after_s <= 61


# ---- size ------------------------------------------------------------------------

def test_the_limit_is_exact(server):
    assert fetch(server, f"/plain?size={MOST}").error == "E_NONE"
    assert fetch(server, f"/plain?size={MOST + 1}").error == "E_TOO_BIG"
    assert fetch(server, f"/chunked?size={MOST}").error == "E_NONE"
    over = fetch(server, f"/chunked?size={MOST + 1}")
    assert over.error == "E_TOO_BIG" and over.crl.size <= MOST


def test_a_length_beyond_the_limit_is_not_waited_for(server):
    result = fetch(server, "/length-huge", timeout_s=20)
    assert result.error == "E_TOO_BIG" and result.crls == [] and result.seconds < 2


@pytest.mark.parametrize("path", ["/endless", "/endless-chunks", "/endless-trailers", "/header-flood", "/continue-flood",
                                  "/transfer-gzip?size=30000000"])
def test_what_has_no_end_is_ended(server, plain_kb, path):
    result = fetch(server, path, timeout_s=60)
    assert result.error == "E_TOO_BIG" or path.startswith("/transfer"), result
    assert sum(c.size for c in result.crls) <= MOST and result.seconds < 20
    assert result.peak_kb <= plain_kb + SPARE_KB, f"{result.peak_kb} kB against {plain_kb}"


@pytest.mark.parametrize("path", ["/header-line", "/status-line", "/length-huge"])
def test_memory_of_other_lies(server, plain_kb, path):
    assert fetch(server, path).peak_kb <= plain_kb + SPARE_KB


def test_a_length_that_promises_too_much(server):
    result = fetch(server, "/length-long?size=10000")
    assert (result.error, result.detail) == ("E_FETCH", PARTIAL)
    hangs = fetch(server, "/length-long-hang")
    assert (hangs.error, hangs.detail) == ("E_FETCH", TIMED_OUT) and hangs.seconds < 3


def test_a_length_that_promises_too_little_cuts(server):
    """Who reads the CRL sees that its end is missing."""
    result = fetch(server, "/length-short?size=10000")
    assert result.error == "E_NONE" and result.crl.size == 5000


# ---- time ------------------------------------------------------------------------

@pytest.mark.parametrize("path", ["/hang", "/drip-body?every=0.2", "/drip-headers?every=0.1", "/slow?rate=20000&size=1000000"])
def test_a_transfer_has_its_time(server, plain_kb, path):
    result = fetch(server, path, timeout_s=2)
    assert (result.error, result.detail) == ("E_FETCH", TIMED_OUT) and 1.8 < result.seconds < 3.5, result
    assert result.peak_kb <= plain_kb + SPARE_KB


def test_the_time_is_that_of_all_redirects_together(server):
    result = fetch(server, "/redirect?to=/drip-headers", timeout_s=2)
    assert result.detail == TIMED_OUT and result.seconds < 3.5


def test_a_port_that_says_nothing():
    with dead_port() as port:
        result = Fetcher(timeout_s=2).fetch(f"http://127.0.0.1:{port}/")
    assert (result.error, result.detail) == ("E_FETCH", TIMED_OUT) and result.seconds < 3.5


def test_who_takes_slowly_is_waited_for(server):
    result = fetch(server, "/plain?size=200000", slowly=0.1, timeout_s=10)
    assert result.error == "E_NONE" and result.crl.size == 200000


# ---- elsewhere -------------------------------------------------------------------

def test_three_redirects_and_no_fourth(server):
    assert fetch(server, "/redirect-chain?n=3").crl.data == b"at last"
    fourth = fetch(server, "/redirect-chain?n=4")
    assert (fourth.error, fourth.detail, fourth.crls) == ("E_FETCH", TOO_MANY_REDIRECTS, [])
    assert fetch(server, "/redirect-chain?n=1", max_redirects=0).detail == TOO_MANY_REDIRECTS


def test_a_loop_ends(server):
    before = len(server.asked("/redirect-loop"))
    result = fetch(server, "/redirect-loop")
    assert result.detail == TOO_MANY_REDIRECTS and len(server.asked("/redirect-loop")) - before == 4


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/", "ldap://127.0.0.1/", "//",
                                "javascript:0", "http://127.0.0.1:1/a", "http://localhost/"])
def test_where_a_redirect_may_not_lead(server, to):
    result = fetch(server, f"/redirect?to={to}")
    assert result.error == "E_FETCH" and result.detail in (302, 3) and result.crls == [], result


def test_another_host_only_where_it_is_listed(server):
    with Hostile("127.0.0.2") as other:
        to = other.url("/plain?size=10").replace("&", "%26")
        path = f"/redirect?to={to}"
        assert fetch(server, path).detail == 302 and other.requests == []
        assert fetch(server, path, hosts="pki.example, 127.0.0.3").detail == 302 and other.requests == []
        assert fetch(server, path, hosts=f"127.0.0.2:{other.port + 1}").detail == 302 and other.requests == []
        assert fetch(server, path, hosts="pki.example, 127.0.0.2").crl.size == 10
        assert fetch(server, path, hosts=f"127.0.0.2:{other.port}").crl.size == 10


def test_a_url_that_was_not_granted(server):
    for url, prefix in ((server.url("/plain"), "http://127.0.0.1"), (server.url("/plain"), ""),
                        ("file:///etc/passwd", server.url("")), ("file:///etc/passwd", "file:///etc/pass")):
        result = Fetcher().fetch(url, prefix=prefix)
        assert (result.error, result.detail) == ("E_FETCH", 1), url


# ---- OCSP ------------------------------------------------------------------------

def test_a_question_is_posted(server):
    question = bytes(range(200))
    result = fetch(server, "/echo", kind=OCSP, body=question)
    assert result.error == "E_NONE" and result.crl.data == question
    asked = server.requests[-1]
    assert (asked.method, asked.headers["content-type"], asked.headers["accept"]) == (
        "POST", "application/ocsp-request", "application/ocsp-response")
    assert "if-none-match" not in asked.headers and "expect" not in asked.headers


def test_an_answer_is_small_and_comes_from_there(server):
    ask = dict(kind=OCSP, body=b"question")
    assert fetch(server, "/plain?size=65536", **ask).crl.size == 65536
    assert fetch(server, "/plain?size=65537", **ask).error == "E_TOO_BIG"
    assert fetch(server, "/redirect?to=/echo", **ask).error == "E_FETCH"
    assert fetch(server, "/status/500", **ask).detail == 500
    assert Fetcher().fetch("file:///etc/passwd", **ask).detail == 1
    assert fetch(server, "/echo", kind=OCSP, body=b"").error == "E_FETCH"
    assert fetch(server, "/plain", kind=CRL, body=b"ignored").error == "E_NONE"
