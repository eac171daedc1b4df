# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases 1 to 25 of doc/revocation.md: how a CRL is written, and signed. From its octets to the packets."""
import gzip

import pytest

from cases import CA, Cases, Key, make_case_world
from lab import crl
from lab.crl import algorithm_of, entry, extension, integer, pem, tlv

pytestmark = pytest.mark.once

CASES = Cases()


@pytest.fixture(scope="module")
def w(make_world):
    return make_case_world(make_world, CASES)


def declare(name, n=1, **how):
    return CASES.authority(name, devices=n, **how)


def refused(w, a, data, *errors):
    """It changes nothing: who was free is free, and the source says why."""
    assert w.publish(a, data)["error"] in errors
    w.expect(a, free=range(len(a.devices)))


def revoked(w, a, data):
    """The first device is on it, the others are not."""
    source = w.publish(a, data)
    assert source["error"] is None and source["state"] == "fresh" and source["hits"] == 1
    w.expect(a, cut=[0], free=range(1, len(a.devices)))


A01 = declare("c01", 2)


def test_01_listed(w):
    revoked(w, A01, A01.ca.crl(entry(A01.serial(0), crl.KEY_COMPROMISE), entry(5)))


A02 = declare("c02", 2)


def test_02_pem_says_the_same(w):
    der = A02.ca.crl(entry(A02.serial(0)))
    revoked(w, A02, pem(der))
    before = w.sources(A02)[0]
    assert w.publish(A02, der)["number"] == before["number"]
    assert w.sources(A02)[0]["error"] is None      # the same CRL, not a second one under its number


BUNDLE = '"file://{folder}/c03.crl"'
A03 = [declare(f"c03-{i}", 2, crl=BUNDLE) for i in range(3)]


def test_03_several_in_one_file(w):
    blocks = [pem(a.ca.crl(entry(a.serial(0)))) for a in A03]
    w.put("c03.crl", blocks[0] + blocks[1][:200] + b"\n-----END X509 CRL-----\n" + blocks[2])
    for a in A03:
        w.refresh(a)
    w.expect(A03[0], cut=[0], free=[1])
    w.expect(A03[1], free=[0, 1])      # its block is damaged
    w.expect(A03[2], cut=[0], free=[1])
    w.put("c03.crl", b"\n".join(blocks))
    w.refresh(A03[1])
    w.expect(A03[1], cut=[0], free=[1])


A04 = [declare(f"c04-{i}", 2) for i in range(3)]


def test_04_pem_with_text_around(w):
    def block(a):
        return pem(a.ca.crl(entry(a.serial(0))))
    revoked(w, A04[0], b"Issued by the factory\n" + block(A04[0]) + b"have a nice day\n")
    revoked(w, A04[1], block(A04[1]).replace(b"\n", b"\r\n"))
    revoked(w, A04[2], block(A04[2]).rstrip(b"\n"))


A05 = declare("c05")


def test_05_empty(w):
    refused(w, A05, b"", "E_EMPTY")


A06 = declare("c06")


def test_06_html(w):
    refused(w, A06, b"<!DOCTYPE html><html><body>Please log in</body></html>\n", "E_NOT_CRL")
    assert "HTML" in w.sources(A06)[0]["error_text"]


A07 = declare("c07")


def test_07_gzip(w):
    refused(w, A07, gzip.compress(A07.ca.crl(entry(A07.serial(0)))), "E_NOT_CRL")
    assert "gzip" in w.sources(A07)[0]["error_text"]


A08 = declare("c08")


def test_08_truncated(w):
    whole = A08.ca.crl(entry(A08.serial(0)), *(entry(n) for n in range(20)))
    for cut in (1, 3, 20, 60, 150, len(whole) // 2, len(whole) - 60, len(whole) - 1):
        refused(w, A08, whole[:cut], "E_TRUNC")


A09 = declare("c09")


def test_09_trailing_bytes(w):
    refused(w, A09, A09.ca.crl(entry(A09.serial(0))) + b"\0", "E_TRAILING")


A10 = declare("c10")


def test_10_not_der(w):
    whole = A10.ca.crl(entry(A10.serial(0)), *(entry(n) for n in range(9)))
    assert whole[1] == 0x82
    refused(w, A10, b"\x30\x80" + whole[4:] + b"\0\0", "E_DER")                        # indefinite
    refused(w, A10, b"\x30\x83\0" + whole[2:4] + whole[4:], "E_DER")                    # not minimal
    tbs = crl.seq(integer(1), A10.ca.key.algorithm(), b"\x30\x82\xff\xff" + A10.ca.name[2:])
    refused(w, A10, crl.signed(tbs, A10.ca.key), "E_DER")                               # beyond its holder


A11 = declare("c11")


def test_11_flipped_bits(w):
    whole = A11.ca.crl(entry(A11.serial(0)))
    for at in range(4, len(whole), 23):
        bent = bytearray(whole)
        bent[at] ^= 1 << at % 8
        assert w.publish(A11, bytes(bent))["error"] not in (None, "E_APPLY"), at
    w.expect(A11, free=[0])


A12 = declare("c12")


def test_12_two_algorithms(w):
    refused(w, A12, A12.ca.crl(entry(A12.serial(0)), outer=algorithm_of("ec384")), "E_SIGALG")
    refused(w, A12, A12.ca.crl(entry(A12.serial(0)), inner=algorithm_of("ec384"),
                               outer=A12.ca.key.algorithm()), "E_SIGALG")


A13 = declare("c13", ca=CA("c13", key="ec-sha1"))
A13_SHA1 = declare("c13-sha1", 2, ca=CA("c13-sha1", key="ec-sha1"), options="sha1 = true;")
A13_MD5 = declare("c13-md5", ca=CA("c13-md5", key="rsa-md5"), options="sha1 = true;")


def test_13_weak_hashes(w):
    refused(w, A13, A13.ca.crl(entry(A13.serial(0))), "E_WEAK")
    revoked(w, A13_SHA1, A13_SHA1.ca.crl(entry(A13_SHA1.serial(0))))
    refused(w, A13_MD5, A13_MD5.ca.crl(entry(A13_MD5.serial(0))), "E_WEAK")


A14 = {kind: declare(f"c14-{kind}", 2, ca=CA(f"c14-{kind}", key=kind))
       for kind in ("pss", "ec", "ec384", "rsa", "ed25519", "rsa1024")}


@pytest.mark.parametrize("kind", ["pss", "ec", "ec384", "rsa", "ed25519"])
def test_14_algorithms(w, kind):
    a = A14[kind]
    revoked(w, a, a.ca.crl(entry(a.serial(0))))


def test_14_short_key(w):
    a = A14["rsa1024"]
    refused(w, a, a.ca.crl(entry(a.serial(0))), "E_WEAK")


A15 = declare("c15")


def test_15_wrong_key(w):
    forged = Key()
    refused(w, A15, A15.ca.crl(entry(A15.serial(0)), key=forged, aki=A15.ca.key.id), "E_SIG")
    refused(w, A15, A15.ca.crl(entry(A15.serial(0)), key=forged, aki=False), "E_SIG")
    refused(w, A15, A15.ca.crl(entry(A15.serial(0)), key=forged), "E_SIG", "E_SIGNER")


A16 = declare("c16", ca=CA("c16", usage=(crl.KEY_CERT_SIGN,)))
A16_NONE = declare("c16-none", 2, ca=CA("c16-none", usage=None))


def test_16_key_usage(w):
    refused(w, A16, A16.ca.crl(entry(A16.serial(0))), "E_SIGNER")
    revoked(w, A16_NONE, A16_NONE.ca.crl(entry(A16_NONE.serial(0))))


A17 = declare("c17", 2, ca=CA("c17", days=(-400, -1)))


def test_17_expired_signer(w):
    """To be revoked it is enough; nobody is cleared by it."""
    a = A17
    source = w.publish(a, a.ca.crl(entry(a.serial(0), crl.HOLD)))
    assert source["error"] == "E_SIGNER_EXPIRED"
    w.expect(a, cut=[0], free=[1])
    w.publish(a, a.ca.crl(number=2))
    w.expect(a, cut=[0], free=[1])


A18 = declare("c18", 2)


def test_18_version_1(w):
    revoked(w, A18, A18.ca.crl(entry(A18.serial(0)), version=1))


A19 = declare("c19")


def test_19_empty_list(w):
    source = w.publish(A19, A19.ca.crl(listed="always"))
    assert source["error"] is None and source["state"] == "fresh" and source["entries"] == 0
    assert source["warnings"]
    w.expect(A19, free=[0])


A20 = declare("c20", serials=[0x7f << 152 | 1, 2, 3])


def test_20_long_serials(w):
    long = b"\x01" * 30 + b"\x02"
    source = w.publish(A20, A20.ca.crl(entry(A20.serial(0)), entry(long)))
    assert source["error"] is None and source["warnings"]
    w.expect(A20, cut=[0], free=[1, 2])
    assert w.publish(A20, A20.ca.crl(entry(A20.serial(1)), entry(b"\x01" * 33), number=2))["error"] == "E_DER"
    w.expect(A20, cut=[0], free=[1, 2])


A21 = declare("c21", serials=[0x8100000000000001, 0x1234567890, 7])


def test_21_serials_without_sign_pad(w):
    source = w.publish(A21, A21.ca.crl(entry(b"\x81\0\0\0\0\0\0\x01"), entry(b"\0\0\x12\x34\x56\x78\x90")))
    assert source["error"] is None and source["warnings"]
    w.expect(A21, cut=[0, 1], free=[2])


A22 = declare("c22", 2)


def test_22_listed_twice(w):
    serial = A22.serial(0)
    w.publish(A22, A22.ca.crl(entry(serial, crl.HOLD), entry(serial, crl.KEY_COMPROMISE), entry(serial, crl.SUPERSEDED)))
    w.expect(A22, cut=[0], free=[1])
    w.publish(A22, A22.ca.crl(number=2))        # a hold would end here
    w.expect(A22, cut=[0], free=[1])
    assert w.shown(A22.devices[0])["revoked"]["reason"] == "keyCompromise"


A23 = declare("c23", 5)


def test_23_strange_reasons(w):
    reasons = (7, 99, tlv(2, b"\x01"))
    source = w.publish(A23, A23.ca.crl(*(entry(A23.serial(i), r) for i, r in enumerate(reasons)), entry(A23.serial(3))))
    assert source["error"] is None and source["hits"] == 4 and source["warnings"]
    w.expect(A23, cut=[0, 1, 2, 3], free=[4])


A24 = declare("c24", 3)


def test_24_forms_of_time(w):
    a = A24
    good = tlv(0x18, (crl.now() - crl.DAY).strftime("%Y%m%d%H%M%SZ").encode())
    w.publish(a, a.ca.crl(entry(a.serial(0), date=good), entry(a.serial(1)), number=1, this=good))
    w.expect(a, cut=[0, 1], free=[2])
    for bad in (tlv(0x17, b"2601011200Z"), tlv(0x17, b"260101120000+0100"), tlv(0x18, b"20260101120000.5Z"),
                tlv(0x18, b"20260101120000")):
        assert w.publish(a, a.ca.crl(entry(a.serial(2)), number=2, this=bad))["error"] == "E_DER"
        assert w.publish(a, a.ca.crl(entry(a.serial(2), date=bad), number=2))["error"] == "E_DER"
    w.expect(a, cut=[0, 1], free=[2])


A25 = declare("c25")


def test_25_extension_twice(w):
    twice = extension("2.5.29.20", integer(9))
    refused(w, A25, A25.ca.crl(entry(A25.serial(0)), more=[twice]), "E_DUP_EXT")

