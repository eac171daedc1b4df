#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ca.py -- a CA for tests: its certificate, devices' certificates by serial, CRLs.

    ca.py init FOLDER [--name NAME] [--key ec|ec384|rsa|ed25519] [--days N] [--no-crl-sign]
    ca.py issue FOLDER --serial HEX [--name NAME] [--out FILE]      prints or writes the certificate, PEM
    ca.py revoke FOLDER --serial HEX [--reason keyCompromise] [--date TIME]
    ca.py unrevoke FOLDER --serial HEX
    ca.py crl FOLDER --out FILE [--pem] [--number N|none] [--this TIME] [--next TIME]
              [--serial HEX[:reason]]... [--only] [--signer FOLDER]

TIME is RFC 3339, or seconds from now as +N and -N. `crl` lists what was revoked, and
the given serials; with --only just these. Numbers grow by themselves. FILE is replaced
whole, so a web server or a file source never sees half of it. --signer has another
CA's key sign in this CA's name: what a forger would publish.

Everything stands in FOLDER: ca.pem, ca.key, state.json. Needs python3-cryptography."""
import argparse
import datetime
import json
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

UTC = datetime.timezone.utc
REASONS = {flag.value: flag for flag in x509.ReasonFlags}
KEYS = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


def now():
    return datetime.datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def moment(text):
    """RFC 3339, or seconds from now; naive UTC, as cryptography takes it."""
    if text[:1] in "+-" and text[1:].isdigit():
        return now() + datetime.timedelta(seconds=int(text))
    when = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return when.astimezone(UTC).replace(tzinfo=None) if when.tzinfo else when


def write_whole(path, data, mode=0o644):
    """A reader sees the old or the new, never half."""
    new = f"{path}.new"
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as f:
        f.write(data)
    os.replace(new, path)


def hash_for(key):
    """The hash that goes with a key; Ed25519 has its own."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size == 384:
        return hashes.SHA384()
    return hashes.SHA256()


def distinguished(name):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
                      x509.NameAttribute(NameOID.COMMON_NAME, name)])


class CA:
    """One CA in a folder. make() makes it, CA(folder) opens it."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "ca.key"), "rb") as f:
            self.key = serialization.load_pem_private_key(f.read(), None)
        with open(os.path.join(folder, "ca.pem"), "rb") as f:
            self.certificate = x509.load_pem_x509_certificate(f.read())
        with open(os.path.join(folder, "state.json"), encoding="utf-8") as f:
            self.state = json.load(f)

    @classmethod
    def make(cls, folder, name="Factory CA", key="ec", days=3650, crl_sign=True):
        os.makedirs(folder, mode=0o700, exist_ok=True)
        private = KEYS[key]()
        public = private.public_key()
        subject = distinguished(name)
        usage = x509.KeyUsage(digital_signature=False, content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False, key_cert_sign=True,
                              crl_sign=crl_sign, encipher_only=False, decipher_only=False)
        certificate = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now() - datetime.timedelta(days=1))
            .not_valid_after(now() + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(private, hash_for(private)))
        write_whole(os.path.join(folder, "ca.key"), private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()), 0o600)
        write_whole(os.path.join(folder, "ca.pem"),
                    certificate.public_bytes(serialization.Encoding.PEM))
        write_whole(os.path.join(folder, "state.json"), b'{"number": 0, "revoked": {}}')
        return cls(folder)

    @property
    def path(self):
        """Of the certificate, for the configuration."""
        return os.path.join(self.folder, "ca.pem")

    def _save(self):
        write_whole(os.path.join(self.folder, "state.json"), json.dumps(self.state).encode())

    def issue(self, serial, name=None, days=365):
        """A device's certificate, as PEM. Its key is forgotten: nothing here needs it."""
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        return (
            x509.CertificateBuilder().subject_name(distinguished(name or f"device {serial:x}"))
            .issuer_name(self.certificate.subject).public_key(public).serial_number(serial)
            .not_valid_before(now() - datetime.timedelta(days=1))
            .not_valid_after(now() + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self.key, hash_for(self.key)).public_bytes(serialization.Encoding.PEM))

    def revoke(self, serial, reason=None, date=None):
        """Note it; the next CRL has it."""
        self.state["revoked"][f"{serial:x}"] = [reason, (date or now()).isoformat()]
        self._save()

    def unrevoke(self, serial):
        self.state["revoked"].pop(f"{serial:x}", None)
        self._save()

    def _number(self, number):
        if number == "none":
            return None
        if number is not None:
            return int(number)
        self.state["number"] += 1
        self._save()
        return self.state["number"]

    def _entries(self, serials, only):
        listed = {} if only else dict(self.state["revoked"])
        for serial, reason in serials:
            listed[f"{serial:x}"] = [reason, now().isoformat()]
        for serial, (reason, date) in listed.items():
            builder = (x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
                       .revocation_date(datetime.datetime.fromisoformat(date)))
            if reason:
                builder = builder.add_extension(x509.CRLReason(REASONS[reason]), critical=False)
            yield builder.build()

    def crl(self, number=None, this_update=None, next_update=None, serials=(), only=False, pem=False,
            signer=None):
        """The CRL, as bytes. serials: (serial, reason or None) beside the noted ones.
        signer: another CA whose key signs in our name."""
        key = (signer or self).key
        this_update = this_update or now()
        builder = (x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
                   .last_update(this_update)
                   .next_update(next_update or this_update + datetime.timedelta(days=7))
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
                                  critical=False))
        number = self._number(number)
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        for entry in self._entries(serials, only):
            builder = builder.add_revoked_certificate(entry)
        form = serialization.Encoding.PEM if pem else serialization.Encoding.DER
        return builder.sign(key, hash_for(key)).public_bytes(form)

    def publish(self, path, **how):
        """Write the CRL where a server or a file source takes it from."""
        write_whole(path, self.crl(**how))


# ---- command line ---------------------------------------------------------------

def serial_and_reason(text):
    serial, _, reason = text.partition(":")
    if reason and reason not in REASONS:
        raise argparse.ArgumentTypeError(f"{reason}: one of {', '.join(sorted(REASONS))}")
    return int(serial, 16), reason or None


def parser():
    top = argparse.ArgumentParser(prog="ca.py", description="a CA for tests")
    commands = top.add_subparsers(dest="command", required=True)

    def command(name):
        c = commands.add_parser(name)
        c.add_argument("folder")
        return c
    c = command("init")
    c.add_argument("--name", default="Factory CA")
    c.add_argument("--key", choices=sorted(KEYS), default="ec")
    c.add_argument("--days", type=int, default=3650)
    c.add_argument("--no-crl-sign", action="store_true")
    c = command("issue")
    c.add_argument("--serial", required=True)
    c.add_argument("--name")
    c.add_argument("--out")
    c = command("revoke")
    c.add_argument("--serial", required=True)
    c.add_argument("--reason", choices=sorted(REASONS))
    c.add_argument("--date", type=moment)
    c = command("unrevoke")
    c.add_argument("--serial", required=True)
    c = command("crl")
    c.add_argument("--out", required=True)
    c.add_argument("--pem", action="store_true")
    c.add_argument("--number")
    c.add_argument("--this", type=moment)
    c.add_argument("--next", type=moment)
    c.add_argument("--serial", type=serial_and_reason, action="append", default=[])
    c.add_argument("--only", action="store_true")
    c.add_argument("--signer")
    return top


def main(argv):
    args = parser().parse_args(argv)
    if args.command == "init":
        CA.make(args.folder, args.name, args.key, args.days, not args.no_crl_sign)
        return 0
    ca = CA(args.folder)
    if args.command == "issue":
        pem = ca.issue(int(args.serial, 16), args.name)
        if args.out:
            write_whole(args.out, pem)
        else:
            sys.stdout.write(pem.decode())
    elif args.command == "revoke":
        ca.revoke(int(args.serial, 16), args.reason, args.date)
    elif args.command == "unrevoke":
        ca.unrevoke(int(args.serial, 16))
    else:
        ca.publish(args.out, number=args.number, this_update=args.this, next_update=args.next,
                   serials=args.serial, only=args.only, pem=args.pem,
                   signer=CA(args.signer) if args.signer else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
