# SPDX-License-Identifier: GPL-2.0-or-later
"""By which way cordon-fetch goes, and to whom: TLS, proxies, private addresses,
IPv6 alone and IPv6 that is broken."""
import contextlib
import os
import shutil
import ssl
import subprocess
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from fetcher import Fetcher                                     # noqa: E402
from hostile_server import Hostile, Proxy, Socks5, make_tls     # noqa: E402

pytestmark = pytest.mark.once

WRONG_PIN, NO_TLS, NO_CONNECTION, BAD_PROXY, FAILED_INIT = 90, 35, 7, 5, 2
UNTRUSTED = [("E_FETCH", 60), ("E_FETCH", 77)]  # not by the CAs there are; there are none
OTHER_PIN = "sha256//" + "A" * 43 + "="


@pytest.fixture(scope="module")
def tls():
    with tempfile.TemporaryDirectory() as folder:
        yield make_tls(folder)


@pytest.fixture(scope="module")
def secure(tls):
    with Hostile(tls=tls) as s:
        yield s


@pytest.fixture(scope="module")
def server():
    with Hostile() as s:
        yield s


def fetch(url, **options):
    return Fetcher(timeout_s=5, **options).fetch(url)


def said(result):
    return result.error, result.detail


# ---- TLS -------------------------------------------------------------------------

def test_https_by_the_ca_that_is_given(secure, tls):
    assert said(fetch(secure.url("/plain"))) in UNTRUSTED
    assert fetch(secure.url("/plain"), ca=tls.ca_der).crl.size == 1000


def test_the_ca_that_is_given_is_the_only_one(secure, tls):
    with tempfile.TemporaryDirectory() as folder:
        other = make_tls(folder)
        # of the same name, so that it is the signature that does not fit
        assert said(fetch(secure.url("/plain"), ca=other.ca_der)) in [*UNTRUSTED, ("E_FETCH", NO_TLS)]


def test_a_certificate_for_another_host_or_time(tls):
    with tempfile.TemporaryDirectory() as folder:
        with Hostile(tls=make_tls(folder, names=("pki.example",))) as s:
            assert said(fetch(s.url("/plain"), ca=s.tls.ca_der)) in UNTRUSTED
        with Hostile(tls=make_tls(folder, days=(-20, -10))) as s:
            assert said(fetch(s.url("/plain"), ca=s.tls.ca_der)) in UNTRUSTED


def test_a_pin_must_match(secure, tls):
    ca = tls.ca_der
    assert fetch(secure.url("/plain"), ca=ca, pin=tls.pin).error == "E_NONE"
    assert fetch(secure.url("/plain"), ca=ca, pin=f"{OTHER_PIN};{tls.pin}").error == "E_NONE"
    before = len(secure.requests)
    assert said(fetch(secure.url("/plain"), ca=ca, pin=OTHER_PIN)) == ("E_FETCH", WRONG_PIN)
    assert len(secure.requests) == before


def test_a_pin_is_no_ca(secure, tls):
    assert said(fetch(secure.url("/plain"), pin=tls.pin)) in UNTRUSTED


@pytest.mark.parametrize("pin", ["/etc/passwd", "md5//AAAA", "sha256//", "sha256//AAAA;/etc/passwd"])
def test_what_is_no_pin_opens_nothing(secure, tls, pin):
    assert said(fetch(secure.url("/plain"), ca=tls.ca_der, pin=pin)) == ("E_FETCH", FAILED_INIT)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(tls):
    with tempfile.TemporaryDirectory() as folder:
        old = make_tls(folder)
        old.oldest, old.newest = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        with Hostile(tls=old) as s:
            assert said(fetch(s.url("/plain"), ca=old.ca_der)) == ("E_FETCH", NO_TLS)


def test_from_http_to_https_and_never_back(server, secure, tls):
    up = server.url(f"/redirect?to={secure.url('/plain')}")
    assert fetch(up, ca=tls.ca_der).crl.size == 1000
    before = len(server.requests)
    down = fetch(secure.url(f"/redirect?to={server.url('/plain')}"), ca=tls.ca_der, hosts="127.0.0.1")
    assert said(down) == ("E_FETCH", 302) and len(server.requests) == before


def test_a_server_without_tls_or_that_hangs_in_it(server):
    assert fetch(server.url("/plain").replace("http:", "https:")).error == "E_FETCH"


# ---- proxies ---------------------------------------------------------------------

def test_the_proxy_is_used(server):
    with Proxy(names={"pki.example": "127.0.0.1"}) as proxy:
        result = fetch(server.url("/plain", host="pki.example"), proxy=proxy.url())
        assert result.crl.size == 1000
        assert [r.target for r in proxy.requests] == [server.url("/plain", host="pki.example")]


def test_https_goes_through_the_proxy_without_its_reading(secure, tls):
    with Proxy() as proxy:
        result = fetch(secure.url("/plain"), proxy=proxy.url(), ca=tls.ca_der)
        assert result.crl.size == 1000 and result.crl.etag == ""
        assert [(r.method, r.target) for r in proxy.requests] == [("CONNECT", secure.authority())]
        assert said(fetch(secure.url("/plain"), proxy=proxy.url())) in UNTRUSTED


def test_socks(server):
    with Socks5(names={"pki.example": "127.0.0.1"}) as socks:
        assert fetch(server.url("/plain", host="pki.example"), proxy=socks.url()).crl.size == 1000
        assert fetch(server.url("/plain"), proxy=socks.url(scheme="socks5")).crl.size == 1000
        assert [r[:2] for r in socks.requests] == [(3, "pki.example"), (1, "127.0.0.1")]


@pytest.mark.parametrize("no_proxy,direct", [
    ("127.0.0.1", True), ("pki.example, 127.0.0.1 ,x", True), ("127.0.0.0/8", True), ("*", True),
    ("", False), ("127.0.0.2", False), ("127.0.1.0/24", False), ("0.0.1", False), ("::1", False)])
def test_no_proxy(server, no_proxy, direct):
    with Proxy() as proxy:
        assert fetch(server.url("/plain"), proxy=proxy.url(), no_proxy=no_proxy).error == "E_NONE"
        assert len(proxy.requests) == (0 if direct else 1)


def test_the_environment_says_nothing(server):
    with Proxy() as proxy:
        env = {"http_proxy": proxy.url(), "ALL_PROXY": proxy.url(), "no_proxy": "127.0.0.1"}
        assert fetch(server.url("/plain"), env=env).error == "E_NONE" and proxy.requests == []
        assert fetch(server.url("/plain"), env=env, proxy=proxy.url()).error == "E_NONE" and len(proxy.requests) == 1


def test_a_proxy_that_fails_is_not_gone_around(server):
    with Proxy() as gone:
        url = gone.url()
    before = len(server.requests)
    assert said(fetch(server.url("/plain"), proxy=url)) == ("E_FETCH", NO_CONNECTION)
    for bad in ("ftp://127.0.0.1:1/", "file:///etc/passwd", "nonsense"):
        assert said(fetch(server.url("/plain"), proxy=bad)) == ("E_FETCH", BAD_PROXY)
    assert len(server.requests) == before


# ---- private addresses -----------------------------------------------------------

def test_private_addresses_where_they_are_refused(server):
    before = server.connections
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0.0.0.0"):
        result = fetch(f"http://{host}:{server.port}/plain", no_private=1)
        assert said(result) == ("E_PRIVATE", NO_CONNECTION), host
    assert server.connections == before
    assert fetch(server.url("/plain")).error == "E_NONE"


def test_a_proxy_may_be_private_and_who_goes_around_it_may_not(server):
    with Proxy() as proxy, Socks5() as socks:
        for way in (proxy, socks):
            assert fetch(server.url("/plain"), no_private=1, proxy=way.url()).error == "E_NONE"
        around = fetch(server.url("/plain"), no_private=1, proxy=proxy.url(), no_proxy="127.0.0.1")
        assert around.error == "E_PRIVATE" and len(proxy.requests) == 1


# ---- names and networks, in a namespace of our own -------------------------------

class Outside:
    """A namespace with addresses of the Internet, names for them, and a hole for some."""
    NAME = f"cordon-fetch-{os.getpid()}"

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        self.run("ip", "netns", "add", self.NAME)
        for line in ("link set lo up", "addr add 198.51.100.7/32 dev lo", "addr add 2001:db8::7/128 dev lo nodad",
                     "addr add 10.0.0.7/32 dev lo", "link add hole type veth peer name beyond", "link set hole up",
                     "link set beyond up",
                     "addr add 2001:db8:dead::1/64 dev hole nodad", "addr add 203.0.113.1/24 dev hole"):
            self.run("ip", "-n", self.NAME, *line.split())
        # neighbours that are never there, without the kernel finding out
        for address in ("2001:db8:dead::7", "203.0.113.7"):
            self.run("ip", "-n", self.NAME, "neigh", "add", address, "lladdr", "02:00:00:00:00:07", "dev", "hole",
                     "nud", "permanent")
        os.makedirs(f"/etc/netns/{self.NAME}", exist_ok=True)
        with open(f"/etc/netns/{self.NAME}/hosts", "w", encoding="ascii") as f:
            f.write("198.51.100.7 four.example\n2001:db8::7 six.example\n"
                    "198.51.100.7 broken.example\n2001:db8:dead::7 broken.example\n"
                    "2001:db8::7 four-broken.example\n203.0.113.7 four-broken.example\n"
                    "10.0.0.7 inside.example\n10.0.0.7 both.example\n2001:db8::7 both.example\n")

    @staticmethod
    def run(*argv):
        subprocess.run(argv, check=True, capture_output=True)

    def __exit__(self, *_):
        subprocess.run(["ip", "netns", "del", self.NAME], check=False, capture_output=True)
        shutil.rmtree(f"/etc/netns/{self.NAME}", ignore_errors=True)


@pytest.fixture(scope="module")
def outside():
    tools = os.path.join(os.path.dirname(__file__), "../tools/hostile_server.py")
    with Outside() as o, contextlib.ExitStack() as stack:
        for host in ("0.0.0.0", "2001:db8::7"):
            server = stack.enter_context(subprocess.Popen(
                ["ip", "netns", "exec", o.NAME, sys.executable, tools, host, "80"], stdout=subprocess.PIPE))
            stack.callback(server.kill)
            assert server.stdout.readline()
        yield o


def inside(host, path="/plain", **options):
    return fetch(f"http://{host}{path}", netns=Outside.NAME, **options)


def test_public_addresses_are_gone_to(outside):
    assert inside("four.example", no_private=1).crl.size == 1000
    assert inside("198.51.100.7", no_private=1).crl.size == 1000


def test_ipv6_alone(outside):
    assert inside("six.example", no_private=1).crl.size == 1000
    assert inside("[2001:db8::7]", no_private=1).crl.size == 1000


def test_broken_ipv6_costs_a_moment(outside):
    result = inside("broken.example")
    assert result.crl.size == 1000 and result.seconds < 2
    other = inside("four-broken.example")
    assert other.crl.size == 1000 and other.seconds < 2


def test_a_name_that_leads_inside_is_refused(outside):
    assert inside("inside.example").crl.size == 1000
    assert said(inside("inside.example", no_private=1)) == ("E_PRIVATE", NO_CONNECTION)


def test_of_two_addresses_the_public_one_is_taken(outside):
    assert inside("both.example", no_private=1).crl.size == 1000


def test_a_redirect_that_leads_inside_is_refused(outside):
    path = "/redirect?to=http://inside.example/plain"
    assert inside("four.example", path, hosts="inside.example").crl.size == 1000
    assert said(inside("four.example", path, hosts="inside.example", no_private=1)) == ("E_PRIVATE", NO_CONNECTION)
