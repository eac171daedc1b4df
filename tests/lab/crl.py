# SPDX-License-Identifier: GPL-2.0-or-later
"""CRLs and certificates, octet by octet, so that each part of them can be bent.

A CA here signs whatever it is told to. Times are datetimes (UTC, without a zone);
what is given as bytes goes in as it is."""
import datetime
import hashlib

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR

# ---- DER ---------------------------------------------------------------------------


def length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def tlv(tag, *parts):
    content = b"".join(parts)
    return bytes([tag]) + length(len(content)) + content


def seq(*parts):
    return tlv(0x30, *parts)


def boolean(value):
    return tlv(1, b"\xff" if value else b"\0")


def integer(value):
    """From a number, or from content octets as they are."""
    if isinstance(value, int):
        value = value.to_bytes(value.bit_length() // 8 + 1, "big")
    return tlv(2, value)


def oid(text):
    arcs = [int(x) for x in text.split(".")]
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        piece = [arc & 0x7f]
        while arc > 0x7f:
            arc >>= 7
            piece.insert(0, arc & 0x7f | 0x80)
        out += bytes(piece)
    return tlv(6, out)


def bits(flags, n):
    """A named BIT STRING: the numbers of the bits that are set, of n."""
    value = bytearray((n + 7) // 8)
    for flag in flags:
        value[flag // 8] |= 0x80 >> flag % 8
    while len(value) > 1 and value[-1] == 0:
        value.pop()
    unused = (value[-1] & -value[-1]).bit_length() - 1 if value[-1] else 0
    return tlv(3, bytes([unused]), bytes(value))


def time(when):
    """RFC 5280 4.1.2.5: UTCTime until 2049. Bytes go in as they are."""
    if isinstance(when, bytes):
        return when
    if when.year < 2050:
        return tlv(0x17, when.strftime("%y%m%d%H%M%SZ").encode())
    return tlv(0x18, when.strftime("%Y%m%d%H%M%SZ").encode())


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


def name(common, organization="Example", kind=0x0c):
    """O=..., CN=...; kind: the tag of the strings (0x0c UTF8String, 0x13 PrintableString)."""
    return seq(tlv(0x31, seq(oid("2.5.4.10"), tlv(kind, organization.encode()))),
               tlv(0x31, seq(oid("2.5.4.3"), tlv(kind, common.encode()))))


def uri(text):
    return tlv(0x86, text.encode())


# ---- keys --------------------------------------------------------------------------

ALGORITHMS = {
    "ec": (lambda: ec.generate_private_key(ec.SECP256R1()), "1.2.840.10045.4.3.2", hashes.SHA256),
    "ec-sha1": (lambda: ec.generate_private_key(ec.SECP256R1()), "1.2.840.10045.4.1", hashes.SHA1),
    "ec384": (lambda: ec.generate_private_key(ec.SECP384R1()), "1.2.840.10045.4.3.3", hashes.SHA384),
    "rsa": (lambda: rsa.generate_private_key(65537, 2048), "1.2.840.113549.1.1.11", hashes.SHA256),
    "rsa1024": (lambda: rsa.generate_private_key(65537, 1024), "1.2.840.113549.1.1.11", hashes.SHA256),
    "rsa-md5": (lambda: rsa.generate_private_key(65537, 2048), "1.2.840.113549.1.1.4", hashes.MD5),
    "pss": (lambda: rsa.generate_private_key(65537, 2048), "1.2.840.113549.1.1.10", hashes.SHA256),
    "ed25519": (ed25519.Ed25519PrivateKey.generate, "1.3.101.112", None),
}

PSS_PARAMETERS = seq(tlv(0xa0, seq(oid("2.16.840.1.101.3.4.2.1"), tlv(5))),
                     tlv(0xa1, seq(oid("1.2.840.113549.1.1.8"), seq(oid("2.16.840.1.101.3.4.2.1"), tlv(5)))),
                     tlv(0xa2, integer(32)))


def algorithm_of(kind):
    """The AlgorithmIdentifier of a kind of key."""
    dotted = ALGORITHMS[kind][1]
    if kind == "pss":
        return seq(oid(dotted), PSS_PARAMETERS)
    return seq(oid(dotted), tlv(5)) if kind.startswith("rsa") else seq(oid(dotted))


class Key:
    def __init__(self, kind="ec"):
        self.kind = kind
        self.private = ALGORITHMS[kind][0]()
        self.public = self.private.public_key().public_bytes(serialization.Encoding.DER,
                                                             serialization.PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha1(self.public).digest()

    def algorithm(self):
        return algorithm_of(self.kind)

    def sign(self, data):
        digest = ALGORITHMS[self.kind][2]
        if digest is None:
            return self.private.sign(data)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(digest()))
        if self.kind == "pss":
            return self.private.sign(data, padding.PSS(padding.MGF1(digest()), 32), digest())
        return self.private.sign(data, padding.PKCS1v15(), digest())


def signed(tbs, key, algorithm=None):
    """The outer SEQUENCE of certificates and CRLs."""
    return seq(tbs, algorithm or key.algorithm(), tlv(3, b"\0", key.sign(tbs)))


def extension(dotted, value, critical=False):
    return seq(oid(dotted), boolean(True) if critical else b"", tlv(4, value))


# ---- certificates ------------------------------------------------------------------

KEY_CERT_SIGN, CRL_SIGN = 5, 6


def points(*urls):
    """cRLDistributionPoints, one point per URL."""
    return extension("2.5.29.31", seq(*(seq(tlv(0xa0, tlv(0xa0, uri(u)))) for u in urls)))


class CA:
    """A name, a key and a certificate; issued by another CA, or by itself."""

    def __init__(self, common, issuer=None, key="ec", usage=(KEY_CERT_SIGN, CRL_SIGN), ca=True, name_der=None,
                 serial=None, days=(-30, 3650), more=(), digest_key=None):
        self.common = common
        self.name = name_der or name(common)
        self.key = digest_key or (key if isinstance(key, Key) else Key(key))
        self.serial = serial if serial is not None else int.from_bytes(self.key.id[:8], "big")
        extensions = list(more)
        if ca:
            extensions.append(extension("2.5.29.19", seq(boolean(True)), critical=True))
        if usage is not None:
            extensions.append(extension("2.5.29.15", bits(usage, 9), critical=True))
        extensions.append(extension("2.5.29.14", tlv(4, self.key.id)))
        self.issuer = issuer or self
        self.certificate = self.issuer.certify(self.name, self.key.public, self.serial, days, extensions)

    def certify(self, subject, public, serial, days=(-30, 365), extensions=()):
        begin, end = (d if isinstance(d, datetime.datetime) else now() + d * DAY for d in days)
        tbs = seq(tlv(0xa0, integer(2)), integer(serial), self.key.algorithm(), self.name,
                  seq(time(begin), time(end)), subject, public,
                  tlv(0xa3, seq(*extensions)) if extensions else b"")
        return signed(tbs, self.key)

    def issue(self, serial, key=None, days=(-30, 365), cdp=(), more=()):
        """A device's certificate in DER."""
        extensions = [extension("2.5.29.19", seq(), critical=True), *([points(*cdp)] if cdp else []), *more]
        return self.certify(name(f"device {serial:x}"), (key or Key()).public, serial, days, extensions)

    def crl(self, *entries, **bend):
        return crl(self, *entries, **bend)


def pem(der, label="X509 CRL"):
    import base64
    text = base64.encodebytes(der).replace(b"\n", b"")
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label.encode(), b"\n".join(lines), label.encode())


# ---- CRLs --------------------------------------------------------------------------

UNSPECIFIED, KEY_COMPROMISE, CA_COMPROMISE, AFFILIATION, SUPERSEDED, CESSATION, HOLD = range(7)
REMOVE, PRIVILEGE, AA_COMPROMISE = 8, 9, 10


def entry(serial, reason=None, date=None, issuer=None, more=()):
    """serial: a number, or content octets. issuer: a name in DER (certificateIssuer)."""
    extensions = []
    if reason is not None:
        extensions.append(extension("2.5.29.21", reason if isinstance(reason, bytes) else tlv(10, bytes([reason]))))
    if issuer is not None:
        extensions.append(extension("2.5.29.29", seq(tlv(0xa4, issuer)), critical=True))
    extensions += more
    return seq(integer(serial), time(date or now() - HOUR), seq(*extensions) if extensions else b"")


def scope(urls=(), users=False, cas=False, reasons=None, indirect=False, attributes=False, raw=None, critical=True):
    """issuingDistributionPoint."""
    value = raw if raw is not None else seq(
        tlv(0xa0, tlv(0xa0, *(uri(u) for u in urls))) if urls else b"",
        b"\x81\x01\xff" if users else b"", b"\x82\x01\xff" if cas else b"",
        b"\x83" + bits(reasons, 9)[1:] if reasons is not None else b"",
        b"\x84\x01\xff" if indirect else b"", b"\x85\x01\xff" if attributes else b"")
    return extension("2.5.29.28", value, critical)


def delta_of(base):
    """deltaCRLIndicator."""
    return extension("2.5.29.27", integer(base), critical=True)


def freshest(*urls):
    return extension("2.5.29.46", seq(*(seq(tlv(0xa0, tlv(0xa0, uri(u)))) for u in urls)))


def crl(ca, *entries, number=1, this=None, next=24, version=2, issuer=None, key=None, aki=True, more=(), before=(),
        listed=True, inner=None, outer=None):
    """A CRL in DER. next: hours from now, a datetime, bytes, or None. listed: with False the
    (empty) list of entries is left out, with True it is written only when it has entries,
    with "always" always. inner, outer: other AlgorithmIdentifiers. key: who signs instead."""
    key = key or ca.key
    this = this if this is not None else now() - datetime.timedelta(minutes=10)
    if isinstance(next, (int, float)):
        next = now() + next * HOUR
    extensions = list(before)
    if aki:
        extensions.append(extension("2.5.29.35", seq(tlv(0x80, aki if isinstance(aki, bytes) else key.id))))
    if number is not None:
        extensions.append(extension("2.5.29.20", integer(number)))
    extensions += more
    tbs = seq(integer(1) if version == 2 else b"", inner or key.algorithm(), issuer or ca.name, time(this),
              time(next) if next is not None else b"",
              seq(*entries) if entries or listed == "always" else b"",
              tlv(0xa0, seq(*extensions)) if version == 2 and extensions else b"")
    return signed(tbs, key, outer)
