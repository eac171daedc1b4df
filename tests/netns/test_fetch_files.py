# SPDX-License-Identifier: GPL-2.0-or-later
"""cordon-fetch reading files, drop folders and directories (LDAP)."""
import base64
import datetime
import errno
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../tools"))
from fetcher import Fetcher, is_errno                   # noqa: E402
from hostile_server import Directory, make_tls          # noqa: E402

pytestmark = pytest.mark.once

MOST = 1 << 20


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


def fetch(url, **options):
    result = Fetcher(max_bytes=MOST, timeout_s=5).fetch(url, **options)
    assert result.exit == 0
    return result


# ---- a file ----------------------------------------------------------------------

def test_a_file(folder):
    write(folder, "a b%.crl", data=b"x" * 100000)
    url = f"file://{folder}/a%20b%25.crl"
    first = fetch(url)
    assert (first.error, first.crl.status, first.crl.part, first.crl.size) == ("E_NONE", 200, 0, 100000)
    again = fetch(url, etag=first.crl.etag)
    assert (again.error, again.crl.status, again.crl.size) == ("E_NONE", 304, 0)


def test_a_file_of_the_same_size_and_time_is_another_one(folder):
    write(folder, "a.crl", data=b"one")
    url = f"file://{folder}/a.crl"
    tag = fetch(url).crl.etag
    st = os.stat(f"{folder}/a.crl")
    with open(f"{folder}/a.crl", "r+b") as f:
        f.write(b"two")
    os.utime(f"{folder}/a.crl", ns=(st.st_atime_ns, st.st_mtime_ns))
    assert fetch(url, etag=tag).crl.data == b"two"


def test_what_is_no_file(folder):
    os.mkfifo(f"{folder}/fifo")
    os.mkdir(f"{folder}/dir")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(f"{folder}/socket")
        assert is_errno(fetch(f"file://{folder}/socket"), errno.ENXIO)
    assert is_errno(fetch(f"file://{folder}/fifo"), errno.EINVAL)
    assert is_errno(fetch(f"file://{folder}/dir"), errno.EINVAL)
    assert is_errno(fetch(f"file://{folder}/none"), errno.ENOENT)
    assert is_errno(fetch("file:///dev/zero"), errno.EINVAL)
    assert is_errno(fetch(f"file://{folder}/a%00b"), errno.EINVAL)
    assert is_errno(fetch(f"file://host{folder}/a"), errno.EINVAL)


def test_a_file_that_is_too_large(folder):
    with open(f"{folder}/a.crl", "wb") as f:
        f.truncate(MOST)
        assert fetch(f"file://{folder}/a.crl").crl.size == MOST
        f.truncate(MOST + 1)
        assert fetch(f"file://{folder}/a.crl").error == "E_TOO_BIG"


# ---- a drop folder ---------------------------------------------------------------

def names_and_data(result):
    return [(c.part, c.status, c.data) for c in result.crls]


def test_all_files_of_a_folder_in_order(folder):
    for name in ("b.crl", "a.crl", "c.pem", ".hidden", "x.tmp", "y.part", "z~"):
        with open(f"{folder}/{name}", "wb") as f:
            f.write(name.encode())
    os.mkdir(f"{folder}/dir")
    os.mkfifo(f"{folder}/fifo")
    os.symlink("b.crl", f"{folder}/d-link")
    os.symlink("nowhere", f"{folder}/e-link")
    result = fetch(f"file://{folder}/")
    assert result.error == "E_NONE"
    assert names_and_data(result) == [(1, 200, b"a.crl"), (2, 200, b"b.crl"), (3, 200, b"c.pem"), (4, 200, b"b.crl")]
    assert len({c.etag for c in result.crls}) == 1 and result.crls[0].etag
    again = fetch(f"file://{folder}/", etag=result.crls[0].etag)
    assert names_and_data(again) == [(0, 304, b"")] and again.error == "E_NONE"


@pytest.mark.parametrize("change", ["add", "remove", "rename", "rewrite", "touch", "replace"])
def test_every_change_of_a_folder_counts(folder, change):
    for name in ("a", "b"):
        write(folder, name)
    tag = fetch(f"file://{folder}/").crls[0].etag
    path = os.path.join(folder, "a")
    if change == "add":
        write(folder, "c")
    elif change == "remove":
        os.unlink(path)
    elif change == "rename":
        os.rename(path, path + "2")
    elif change == "touch":
        os.utime(path, ns=(0, 0))
    elif change == "replace":
        write(path)
    else:
        with open(path, "r+b") as f:
            f.write(b"new")
    assert fetch(f"file://{folder}/", etag=tag).crls[0].status == 200


def test_one_bad_file_does_not_spoil_the_others(folder):
    write(folder, "a")
    write(folder, "b", data=b"x" * (MOST + 1))
    write(folder, "c")
    os.chmod(f"{folder}/c", 0)
    write(folder, "d", data=b"")
    write(folder, "e", data=b"y" * 70000)
    result = fetch(f"file://{folder}/")
    assert result.error == "E_NONE"
    assert [(c.part, c.status, c.size) for c in result.crls] == [(1, 200, 3), (2, 413, 0), (3, 403, 0), (4, 200, 0),
                                                                 (5, 200, 70000)]


def test_a_folder_has_a_limit_of_files(folder):
    for i in range(64):
        write(folder, f"{i:03}", data=b"%d" % i)
    assert [c.data for c in fetch(f"file://{folder}/").crls] == [b"%d" % i for i in range(64)]
    write(folder, "010a")
    result = fetch(f"file://{folder}/")
    assert (result.error, result.detail, len(result.crls)) == ("E_TOO_BIG", errno.E2BIG, 64)
    assert result.crls[-1].data == b"62" and result.crls[11].data == b"crl"


def test_an_empty_and_a_missing_folder(folder):
    assert fetch(f"file://{folder}/").error == "E_EMPTY"
    assert is_errno(fetch(f"file://{folder}/none/"), errno.ENOENT)
    write(folder, "file")
    assert is_errno(fetch(f"file://{folder}/file/"), errno.ENOTDIR)


# ---- directories -----------------------------------------------------------------

DER = bytes(range(256)) * 400
CRLS = [("cn=CA,dc=example", [("objectClass", [b"cRLDistributionPoint"]), ("certificateRevocationList;binary", [DER]),
                              ("cACertificate;binary", [b"\x30\x00"]), ("deltaRevocationList;binary", [DER[:1000], b""])])]
QUERY = "/cn=CA,dc=example?certificateRevocationList;binary?base?(objectClass=cRLDistributionPoint)"
WRONG_PIN, NOT_FOUND = 90, 39
UNTRUSTED = (60, 77)     # not by the CAs there are; there are none


def test_crls_of_a_directory():
    with Directory(CRLS) as d:
        result = fetch(d.url(QUERY))
    assert result.error == "E_NONE"
    assert [(c.part, c.status, c.data) for c in result.crls] == [(1, 200, DER), (2, 200, DER[:1000]), (3, 200, b"")]


def test_a_directory_by_tls():
    with tempfile.TemporaryDirectory() as keys, Directory(CRLS, tls=make_tls(keys)) as d:
        assert len(fetch(d.url(QUERY), ca=d.tls.ca_der).crls) == 3
        assert fetch(d.url(QUERY)).detail in UNTRUSTED
        assert fetch(d.url(QUERY), ca=d.tls.ca_der, pin="sha256//" + "A" * 43 + "=").detail == WRONG_PIN


@pytest.mark.parametrize("how,error", [("hang", "E_FETCH"), ("endless", "E_TOO_BIG"), ("huge", "E_FETCH"),
                                       ("refuse", "E_FETCH")])
def test_a_hostile_directory(how, error):
    with Directory(CRLS[:0], how=how) as d:
        result = fetch(d.url(QUERY), timeout_s=3)
    assert result.error == error and result.crls == [] and result.seconds < 5, result


def test_a_directory_without_a_crl_and_with_too_many():
    with Directory([("cn=CA", [("cn", [b"CA"])])]) as d:
        assert fetch(d.url(QUERY)).error == "E_EMPTY"
    with Directory([("cn=CA", [("certificateRevocationList;binary", [DER[:100]] * 65)])]) as d:
        result = fetch(d.url(QUERY))
        assert result.error == "E_TOO_BIG" and len(result.crls) == 64
    with Directory([("cn=CA", [("certificateRevocationList;binary", [b"x" * (MOST + 1)])])]) as d:
        assert fetch(d.url(QUERY)).error == "E_TOO_BIG"


def test_a_directory_at_a_private_address():
    with Directory(CRLS) as d:
        assert fetch(d.url(QUERY), no_private=1).error == "E_PRIVATE" and d.connections == 0


SLAPD = shutil.which("slapd", path=os.environ.get("PATH", "") + ":/usr/sbin")


@pytest.fixture
def slapd(folder):
    if SLAPD is None:
        pytest.skip("no slapd here (Debian: slapd)")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        url = f"ldap://127.0.0.1:{s.getsockname()[1]}"
    os.mkdir(f"{folder}/db")
    with open(f"{folder}/slapd.conf", "w", encoding="ascii") as f:
        f.write(f"include /etc/ldap/schema/core.schema\npidfile {folder}/pid\nmodulepath /usr/lib/ldap\n"
                f"moduleload back_mdb\ndatabase mdb\nsuffix dc=example\ndirectory {folder}/db\n")
    ldif = ("dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n\n"
            "dn: cn=CA,dc=example\nobjectClass: cRLDistributionPoint\ncn: CA\n"
            f"certificateRevocationList;binary:: {base64.b64encode(EMPTY_CRL).decode()}\n")
    subprocess.run([SLAPD, "-T", "add", "-f", f"{folder}/slapd.conf"], input=ldif.encode(), check=True)
    with subprocess.Popen([SLAPD, "-d", "0", "-h", url, "-f", f"{folder}/slapd.conf"]) as p:
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end and not os.path.exists(f"{folder}/pid"):
                time.sleep(0.05)
            yield url
        finally:
            p.terminate()


def empty_crl():
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    now = datetime.datetime(2026, 11, 1)
    crl = x509.CertificateRevocationListBuilder().issuer_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "CA")])).last_update(now).next_update(
        now + datetime.timedelta(days=7)).sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


EMPTY_CRL = empty_crl()


def test_a_real_directory(slapd):
    result = fetch(slapd + QUERY)
    assert result.error == "E_NONE" and result.crl.data == EMPTY_CRL
    assert fetch(slapd + QUERY.replace("cn=CA", "cn=none")).detail == NOT_FOUND
