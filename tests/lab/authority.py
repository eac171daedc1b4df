# SPDX-License-Identifier: GPL-2.0-or-later
"""The CA of the lab: one certificate, and CRLs with growing numbers."""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def utc_now():
    """Without a time zone, as the oldest python3-cryptography that we meet wants it."""
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


class Authority:
    """Keeps its key in `folder`, so that a standing lab can go on revoking."""

    def __init__(self, folder, name="Cordon Lab CA"):
        self.folder = folder
        os.makedirs(folder, mode=0o700, exist_ok=True)
        self._key_path = os.path.join(folder, "ca.key")
        self.certificate_path = os.path.join(folder, "ca.pem")
        self._revoked_path = os.path.join(folder, "revoked")
        if os.path.exists(self._key_path):
            self._load()
        else:
            self._make(name)

    def _make(self, name):
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = utc_now()
        ski = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        usage = x509.KeyUsage(digital_signature=False, content_commitment=False,
                              key_encipherment=False, data_encipherment=False,
                              key_agreement=False, key_cert_sign=True, crl_sign=True,
                              encipher_only=False, decipher_only=False)
        self.certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
            .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY).not_valid_after(now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True).add_extension(ski, critical=False)
            .sign(self.key, hashes.SHA256()))
        with open(self._key_path, "wb", opener=_private) as f:
            f.write(self.key.private_bytes(serialization.Encoding.PEM,
                                           serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
        with open(self.certificate_path, "wb") as f:
            f.write(self.pem())

    def _load(self):
        with open(self._key_path, "rb") as f:
            self.key = serialization.load_pem_private_key(f.read(), None)
        with open(self.certificate_path, "rb") as f:
            self.certificate = x509.load_pem_x509_certificate(f.read())

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def revoked(self):
        try:
            with open(self._revoked_path, encoding="ascii") as f:
                return f.read().split()
        except FileNotFoundError:
            return []

    def revoke(self, *serials):
        """Note serials (hexadecimal) as revoked; the next CRL has them."""
        with open(self._revoked_path, "a", encoding="ascii") as f:
            f.write("".join(serial + "\n" for serial in serials))

    def unrevoke(self, *serials):
        keep = [s for s in self.revoked() if s not in serials]
        with open(self._revoked_path, "w", encoding="ascii") as f:
            f.write("".join(serial + "\n" for serial in keep))

    def crl(self, number=None, this_update=None, next_update=None, serials=None, key=None):
        """The next CRL, as DER. Tests bend it by the parameters."""
        now = utc_now()
        this_update = this_update or now - datetime.timedelta(minutes=5)
        next_update = next_update or now + 7 * DAY
        builder = (x509.CertificateRevocationListBuilder()
                   .issuer_name(self.certificate.subject)
                   .last_update(this_update).next_update(next_update)
                   .add_extension(x509.CRLNumber(self._next_number() if number is None else number),
                                  critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                       self.key.public_key()), critical=False))
        for serial in self.revoked() if serials is None else serials:
            entry = (x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
                     .revocation_date(this_update)
                     .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False))
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def _next_number(self):
        path = os.path.join(self.folder, "number")
        number = 1
        if os.path.exists(path):
            with open(path, encoding="ascii") as f:
                number = int(f.read()) + 1
        with open(path, "w", encoding="ascii") as f:
            f.write(str(number))
        return number


def _private(path, flags):
    return os.open(path, flags, 0o600)
