# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 74 to 82 of doc/revocation.md: what servers do to whoever asks them, seen from the packets. What the
fetcher does with each of it by itself is in test_fetch_*.py."""
import os
import sys
import time

import pytest

from cases import Cases, make_case_world
from lab import crl
from lab.crl import entry
from lab.topology import wait_for

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from hostile_server import Hostile, Proxy, make_tls     # noqa: E402

pytestmark = pytest.mark.once

CASES = Cases()
WEB = "192.0.2.80"       # the lab's web server
SERVER = "http://{web}:8081"
LIES = ("drip-body?every=1", "drip-headers?every=1", "hang", "endless", "endless-chunks", "header-flood",
        "continue-flood", "length-long", "length-short", "nothing", "reset", "status-endless/404")


@pytest.fixture(scope="module")
def w(make_world, tmp_path_factory):
    tls = make_tls(str(tmp_path_factory.mktemp("tls")), names=(WEB,))
    A78_UP.files["c78-ca.pem"] = crl.pem(tls.ca_der, "CERTIFICATE")
    world = make_case_world(make_world, CASES, own_clock=True)      # one that is right: what ages, ages by it
    assert world.lab.web.ip4 == WEB
    with world.lab.web.ns.inside():
        servers = [Hostile(world.lab.web.ip4, 8081), Hostile(world.lab.web.ip6, 8081), Proxy(world.lab.web.ip4, 8082),
                   Hostile(world.lab.web.ip4, 8443, tls=tls), Hostile(world.lab.web.ip4, 8083)]
    world.server, world.server6, world.proxy, world.secure, world.liar = servers
    world.tls = tls
    yield world
    for server in servers:
        server.stop()


def declare(name, crl_words, n=2, **how):
    return CASES.authority(name, devices=n, crl=crl_words, **how)


def one(path, **words):
    """A source of the server, with further keys."""
    return '{ url = "%s"; %s }' % (SERVER + path, " ".join(f"{k} = {v};" for k, v in words.items()))


A74 = declare("c74", one("/c74.crl", refresh='"1s"'))


def test_74_not_modified(w):
    """It confirms what is there, for as long as that is good, and then all of it is asked for."""
    w.server.publish("/c74.crl", A74.ca.crl(entry(A74.serial(0)), next=crl.now() + 6 * crl.HOUR / 3600))
    w.refresh(A74)
    w.expect(A74, cut=[0], free=[1])
    first = w.sources(A74)[0]
    wait_for("a confirmation", lambda: any("if-none-match" in r.headers for r in w.server.asked("/c74.crl")), 10)
    wait_for("it to be out of date", lambda: w.sources(A74)[0]["state"] == "stale", 15, 0.2)
    assert w.sources(A74)[0]["next_update"] == first["next_update"]
    begin = time.monotonic()
    wait_for("all of it to be asked for", lambda: any(
        r.at > begin and "if-none-match" not in r.headers for r in w.server.asked("/c74.crl")), 10)
    w.expect(A74, cut=[0], free=[1])


A75 = declare("c75", one("/unmodified/c75.crl", refresh='"1s"'))


def test_75_not_modified_for_ever(w):
    path = "/unmodified/c75.crl"
    w.server.publish(path, A75.ca.crl(entry(A75.serial(0)), next=crl.now() + 4 * crl.HOUR / 3600))
    w.refresh(A75)
    w.expect(A75, cut=[0], free=[1])
    del w.server.files[path]        # from here on: 304, whatever is asked
    wait_for("it to be out of date", lambda: w.sources(A75)[0]["state"] == "stale", 15, 0.2)
    assert w.cordon.try_ctl("crl", "list").returncode != 0
    w.expect(A75, cut=[0], free=[1])


BROKEN = ["/status/404", "/status/403", "/status/500", "/status/502", "/html", "/empty"]
A76 = {path: declare(f"c76{path.replace('/', '-')}", '{ url = ("%s", "%s"); }' % (SERVER + path, SERVER + "/c76.crl"))
       for path in BROKEN}
A76_TCP = declare("c76-tcp", '{ url = ("http://{web}:8099/x", "http://nobody.invalid/x", "https://{web}:8081/x", '
                  '"http://{web}:8081/c76-tcp.crl"); }')
A76_NONE = declare("c76-none", one("/status/500"))


@pytest.mark.parametrize("path", BROKEN)
def test_76_the_next_mirror_is_asked_at_once(w, path):
    a = A76[path]
    w.server.publish("/c76.crl", a.ca.crl(entry(a.serial(0))))
    assert w.refresh(a)[0]["error"] is None
    w.expect(a, cut=[0], free=[1])


def test_76_refused_unknown_and_without_tls(w):
    w.server.publish("/c76-tcp.crl", A76_TCP.ca.crl(entry(A76_TCP.serial(0))))
    w.refresh(A76_TCP)
    w.wait_cut(A76_TCP.devices[0])
    w.expect(A76_TCP, cut=[0], free=[1])


def test_76_nobody_answers(w):
    assert w.refresh(A76_NONE)[0]["error"] == "E_FETCH"
    w.expect(A76_NONE, free=[0, 1])
    assert w.sources(A76_NONE)[0]["failures"] >= 1


A77 = {path: declare(f"c77-{i}", one("/" + path, timeout='"3s"', max_size='"64k"').replace("8081", "8083"))
       for i, path in enumerate(LIES)}
A77_WELL = {path: declare(f"c77-well-{i}", None) for i, path in enumerate(LIES)}


@pytest.mark.parametrize("path", LIES)
def test_77_lies_end_within_limits(w, path):
    a, well = A77[path], A77_WELL[path]
    w.cordon.ctl("crl", "refresh", a.name)
    wait_for("the server to be asked", lambda: w.liar.asked("/" + path.split("?")[0]))
    begin = time.monotonic()
    w.put(f"{well.name}.crl", well.ca.crl(entry(well.serial(0))))
    w.wait_cut(well.devices[0])
    assert time.monotonic() - begin < 4        # the folder is watched; nobody waits for the other
    wait_for("the lie to be over", lambda: w.sources(a)[0]["error"] is not None, 20, 0.2)
    w.expect(a, free=[0, 1])
    w.expect(well, cut=[0], free=[1])


GOOD = "/c78.crl"
A78 = {name: declare(f"c78-{name}", words) for name, words in {
    "loop": one("/redirect-loop"),
    "four": one("/redirect-chain?n=4"),
    "elsewhere": one("/redirect?to=http://{other}:8081" + GOOD),
    "file": one("/redirect?to=file:///etc/hostname"),
    "ftp": one("/redirect?to=ftp://{web}/x"),
    "down": '{ url = "https://{web}:8443/redirect?to=http://{web}:8081' + GOOD + '"; ca = "{pki}/c78-ca.pem"; }',
}.items()}
A78_UP = declare("c78-up", '{ url = "http://{web}:8081/redirect?to=https://{web}:8443/c78-up.crl"; '
                 'ca = "{pki}/c78-ca.pem"; }')


@pytest.mark.parametrize("name", list(A78))
def test_78_redirects_that_are_not_followed(w, name):
    a = A78[name]
    for server in (w.server, w.server6, w.secure):
        server.publish(GOOD, a.ca.crl(entry(a.serial(0))))
    assert w.refresh(a)[0]["error"] == "E_FETCH"
    w.expect(a, free=[0, 1])


def test_78_from_http_to_https(w):
    w.secure.publish("/c78-up.crl", A78_UP.ca.crl(entry(A78_UP.serial(0))))
    w.refresh(A78_UP)
    w.expect(A78_UP, cut=[0], free=[1])


A79 = declare("c79", '"http://[{web6}]:8081/c79.crl"')


def test_79_ipv6(w):
    w.server6.publish("/c79.crl", A79.ca.crl(entry(A79.serial(0))))
    w.refresh(A79)
    w.expect(A79, cut=[0], free=[1])


A80 = declare("c80", '{ url = "http://{web}:8081/c80.crl"; proxy = "http://{web}:8082"; }')
A80_AROUND = declare("c80-around", '{ url = "http://{web}:8081/c80-around.crl"; proxy = "http://{web}:8082"; '
                     'no_proxy = "{web}"; }')


def test_80_proxy(w):
    for a, through in ((A80, True), (A80_AROUND, False)):
        w.server.publish(f"/{a.name}.crl", a.ca.crl(entry(a.serial(0))))
        before = len(w.proxy.requests)
        w.refresh(a)
        w.expect(a, cut=[0], free=[1])
        assert (len(w.proxy.requests) > before) == through


CDP = f"http://{WEB}:8081/c81.crl"
A81 = CASES.authority("c81", devices=2, crl="", known=True, cdp=[CDP], options=f'devices_crl = "{WEB}";')
A81_INSIDE = CASES.authority("c81-inside", devices=1, crl="", known=True, cdp=["http://127.0.0.1:8081/c81.crl"],
                             options='devices_crl = "127.0.0.1";')
A81_OTHER = CASES.authority("c81-other", devices=1, crl="", known=True, cdp=["http://192.0.2.9/x.crl"],
                            options=f'devices_crl = "{WEB}";')


def test_81_addresses_out_of_certificates(w):
    w.server.publish("/c81.crl", A81.ca.crl(entry(A81.serial(0)), more=[crl.scope([CDP])]))
    w.refresh(A81)
    w.expect(A81, cut=[0], free=[1])
    w.wait_check(A81.devices[1], "clean")
    assert w.refresh(A81_INSIDE)[0]["error"] == "E_PRIVATE"
    assert not w.sources(A81_OTHER)
    w.expect(A81_OTHER, free=[0])


A82 = declare("c82", one("/c82.crl", max_size='"1k"'))


def test_82_too_large(w):
    w.server.publish("/c82.crl", A82.ca.crl(entry(A82.serial(0)), *(entry(n) for n in range(100))))
    source = w.refresh(A82)[0]
    assert source["error"] == "E_TOO_BIG" and "1" in source["error_text"]
    w.expect(A82, free=[0, 1])
    w.server.publish("/c82.crl", A82.ca.crl(entry(A82.serial(0))))
    w.refresh(A82)
    w.expect(A82, cut=[0], free=[1])
