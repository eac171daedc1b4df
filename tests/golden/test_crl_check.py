# SPDX-License-Identifier: GPL-2.0-or-later
"""cordonctl crl check: the verdict on CRLs that the openssl command made, on bent ones, on
hostile ones and on those of others; and the devices of a configuration that it would move.

GOLDEN_UPDATE=1 writes the text anew: look at the difference before committing."""
import datetime
import glob
import json
import os
import re
import resource
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from lab import crl     # noqa: E402

BUILD = os.environ.get("CORDON_BUILD", os.path.join(HERE, "../../build"))
STAGE = os.path.join(BUILD, "stage")
DATA = os.environ.get("CORDON_DATA", os.path.join(HERE, "../../../shared/data"))
UPDATE = os.environ.get("GOLDEN_UPDATE") == "1"
NOW = datetime.datetime(2027, 1, 10, 12, 0, 0)
BRAKE = 3
KEY_COMPROMISE = 1

CONF = """
appliance: {{ device_interfaces = [ "lan0" ]; brake: {{ devices = {brake}; within = "1h"; }}; }};
authorities = (
  {{ name = "factory-ca"; certificate = "ca.pem"; crl = [ "http://pki.example/factory.crl" ]; }},
  {{ name = "batch-ca"; certificate = "batch.pem"; crl = [ "http://pki.example/batch.crl" ]; }}
);
"""
CLASSES = 'classes = ( { name = "sensor"; allow = ( { to = "192.0.2.2"; tcp = 443; } ); } );\n'


def day(days):
    return NOW + datetime.timedelta(days=days)


class Place:
    """A CA with an intermediate, and a configuration: devices s-1 to s-6 of the CA by their
    serials 1 to 6 (s-6 is critical), b-1 and b-2 of the intermediate by their certificates."""

    def __init__(self, path):
        self.path = str(path)
        self.ca = crl.CA("Factory", days=(day(-300), day(3000)))
        self.batch = crl.CA("Batch 7", issuer=self.ca, days=(day(-300), day(3000)))
        self.write("ca.pem", crl.pem(self.ca.certificate, "CERTIFICATE"))
        self.write("batch.pem", crl.pem(self.batch.certificate, "CERTIFICATE"))
        devices = [f'  {{ name = "s-{i}"; class = "sensor"; mac = "02:00:00:00:00:0{i}"; '
                   f'{"critical = true; " if i == 6 else ""}'
                   f'certificate = {{ authority = "factory-ca"; serial = "0{i}"; }}; }}' for i in range(1, 7)]
        for i in (1, 2):
            self.write(f"b-{i}.pem", crl.pem(self.batch.issue(0x70 + i, days=(day(-100), day(900))), "CERTIFICATE"))
            devices.append(f'  {{ name = "b-{i}"; class = "sensor"; mac = "02:00:00:00:01:0{i}"; '
                           f'certificate = {{ authority = "batch-ca"; file = "b-{i}.pem"; }}; }}')
        self.write("etc/cordon.conf", CONF.format(brake=BRAKE).encode())
        self.write("etc/classes.d/c.conf", CLASSES.encode())
        self.write("etc/devices.d/d.conf", ("devices = (\n" + ",\n".join(devices) + "\n);\n").encode())
        for name in ("ca.pem", "batch.pem"):
            os.link(self(name), self("etc/" + name))
        for i in (1, 2):
            os.link(self(f"b-{i}.pem"), self(f"etc/devices.d/b-{i}.pem"))
            os.link(self(f"b-{i}.pem"), self(f"etc/b-{i}.pem"))

    def __call__(self, name):
        return os.path.join(self.path, name)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self(name)), exist_ok=True)
        with open(self(name), "wb") as f:
            f.write(data)
        return self(name)

    def crl(self, name, *entries, ca=None, this=-1, next=6, **bend):
        made = (ca or self.ca).crl(*(crl.entry(*e, date=day(-2)) if isinstance(e, tuple) else e for e in entries),
                                   this=day(this), next=day(next) if next is not None else None, **bend)
        return self.write(name, made)

    def run(self, *argv, data=None, limit=None):
        """Of the folder's devices, at NOW, unless argv says otherwise."""
        argv = [os.path.join(STAGE, "sbin/cordonctl"), "--run", self("none"), "--programs",
                os.path.join(STAGE, "libexec/cordon"), "crl", "check", *argv]
        if "--at" not in argv:
            argv += ["--at", NOW.isoformat() + "Z"]
        return subprocess.run(argv, input=data, capture_output=True, check=False, timeout=120, cwd=self.path,
                              preexec_fn=limit, env={**os.environ, "TZ": "UTC"})

    def text(self, code, *argv, data=None):
        done = self.run(*argv, data=data)
        assert done.returncode == code, (done.stdout + done.stderr).decode()
        return done.stdout.decode()

    def json(self, code, *argv, data=None):
        """One object for each CRL."""
        return [json.loads(line) for line in self.text(code, "--json", *argv, data=data).splitlines()]

    def devices(self, answer, effect):
        return sorted(d["device"] for d in answer["effects"]["devices"] if d["effect"] == effect)


@pytest.fixture(scope="module", name="place")
def a_place(tmp_path_factory):
    return Place(tmp_path_factory.mktemp("check"))


# ---- the openssl command -----------------------------------------------------------


@pytest.fixture(scope="module", name="made")
def made_by_openssl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openssl")

    def openssl(*argv):
        subprocess.run(["openssl", *argv], cwd=folder, check=True, capture_output=True, timeout=60)
    (folder / "ca.cnf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\n"
                                   "default_crl_days=7\ncrl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n")
    (folder / "index.txt").write_text("R\t361231235959Z\t260101000000Z,keyCompromise\t4F\tunknown\t/CN=x\n")
    (folder / "number").write_text("0A00\n")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem",
            "-out", "ca.pem", "-days", "30", "-subj", "/O=Factory/CN=Real CA", "-addext", "keyUsage=keyCertSign,cRLSign")
    openssl("ca", "-gencrl", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "key.pem", "-out", "crl.pem")
    openssl("crl", "-in", "crl.pem", "-outform", "DER", "-out", "crl.der")
    for kind in (["rsa:2048"], ["ed25519"]):
        openssl("req", "-x509", "-newkey", *kind, "-nodes", "-keyout", "k.pem", "-out", f"{kind[0][:2]}.pem", "-days", "30",
                "-subj", "/CN=Real " + kind[0], "-addext", "keyUsage=keyCertSign,cRLSign")
        openssl("ca", "-gencrl", "-config", "ca.cnf", "-cert", f"{kind[0][:2]}.pem", "-keyfile", "k.pem", "-md",
                "default" if kind[0] == "ed25519" else "sha256", "-out", f"{kind[0][:2]}.crl")
    return folder


def now_text():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_what_openssl_made(place, made):
    for name in ("crl.pem", "crl.der"):
        answer, = place.json(0, str(made / name), "--ca", str(made / "ca.pem"), "--at", now_text())
        assert answer["verdict"] == "usable" and answer["number_text"] == "2560" and answer["entries"] == 1
        assert answer["issuer"] == answer["signer"] == "CN=Real CA,O=Factory"
        assert answer["algorithm"] == "ecdsa-with-SHA256" and answer["state"] == "fresh"
        assert answer["effects"] is None        # no policy has this CA
    assert place.json(0, "-", "--ca", str(made / "ca.pem"), "--at", now_text(),
                      data=(made / "crl.der").read_bytes())[0]["file"] == "-"


@pytest.mark.parametrize("kind", ["rs", "ed"])
def test_other_keys(place, made, kind):
    answer, = place.json(0, str(made / f"{kind}.crl"), "--ca", str(made / f"{kind}.pem"), "--at", now_text())
    assert answer["entries"] == 1 and "Real" in answer["signer"]


# ---- the verdict -------------------------------------------------------------------


def test_usable(place):
    answer, = place.json(0, place.crl("a.crl", (1, KEY_COMPROMISE), number=7), "--config", place("etc"))
    assert answer["verdict"] == "usable" and answer["authority"] == "factory-ca"
    assert place.devices(answer, "quarantine") == ["s-1"]
    assert answer["effects"]["waiting"] == 0
    assert answer["effects"]["devices"][0]["reason"] == "keyCompromise"


def refused(place, name, error, *argv):
    answer, = place.json(1, name, *argv)
    assert answer["verdict"] == "refused" and answer["error"] == error and answer["rule"]
    assert answer["effects"] is None
    text = place.text(1, name, *argv)
    assert f": REFUSED, {error}: " in text.splitlines()[0]
    assert "would quarantine" not in text
    return answer


def test_every_way_to_be_refused(place):
    """No verdict but refused, no device, and the rule in words."""
    good = open(place.crl("good.crl", (1, None)), "rb").read()
    config = ("--config", place("etc"))
    refused(place, place.write("cut.crl", good[:-9]), "E_TRUNC", *config)
    refused(place, place.write("more.crl", good + b"\0"), "E_TRAILING", *config)
    refused(place, place.write("bit.crl", good[:-1] + bytes([good[-1] ^ 1])), "E_SIG", *config)
    stranger = crl.CA("Factory", days=(day(-300), day(300)))
    refused(place, place.crl("key.crl", (1, None), ca=stranger, aki=place.ca.key.id), "E_SIG", *config)
    other = crl.CA("Somebody", days=(day(-300), day(300)))
    answer = refused(place, place.crl("other.crl", (1, None), ca=other), "E_SIGNER", *config)
    assert answer["authority"] is None and answer["issuer"].startswith("CN=Somebody")
    refused(place, place.crl("ext.crl", (1, None), more=[crl.extension("1.2.3.4", b"x", critical=True)]), "E_CRITICAL",
            *config)
    refused(place, place.crl("idp.crl", (1, None), more=[crl.scope(users=True, cas=True)]), "E_IDP", *config)
    refused(place, place.write("html.crl", b"<html>log in</html>"), "E_NOT_CRL", *config)
    refused(place, place.write("empty.crl", b""), "E_EMPTY", *config)
    assert refused(place, place.crl("der.crl", (b"", None)), "E_DER", *config)["offset"] > 0


def test_it_revokes_but_clears_nobody(place):
    config = ("--config", place("etc"))
    for error, name in (
            (None, place.crl("old.crl", (1, None), this=-9, next=-2)),
            ("E_FUTURE", place.crl("future.crl", (1, None), this=2, next=9)),
            ("E_SCOPE", place.crl("scope.crl", (1, None), more=[crl.scope(urls=["http://pki.example/other.crl"])]))):
        answer, = place.json(2, name, *config)
        assert answer["verdict"] == "revokes-only" and answer["limit"] == error
        assert place.devices(answer, "quarantine") == ["s-1"]
    old = crl.CA("Factory", key=place.ca.key, days=(day(-300), day(-1)))
    place.write("old.pem", crl.pem(old.certificate, "CERTIFICATE"))
    answer, = place.json(0, place.crl("ok.crl"), "--ca", place("ca.pem"))
    assert answer["limit"] is None
    alone = crl.CA("Gone", days=(day(-300), day(-1)))
    place.write("gone.pem", crl.pem(alone.certificate, "CERTIFICATE"))
    answer, = place.json(2, place.crl("gone.crl", (1, None), ca=alone), "--ca", place("gone.pem"))
    assert answer["limit"] == "E_SIGNER_EXPIRED"


def test_at_another_time(place):
    name = place.crl("time.crl", (1, None))
    for days, code, state in ((1, 0, "fresh"), (6.5, 2, "stale"), (9, 2, "expired")):
        answer, = place.json(code, name, "--config", place("etc"), "--at", day(days).isoformat() + "Z")
        assert answer["state"] == state
    assert place.run(name, "--at", "soon").returncode == 64


# ---- the one before, and deltas ----------------------------------------------------


def test_previous(place):
    config = ("--config", place("etc"))
    nine, ten = place.crl("9.crl", number=9, this=-2), place.crl("10.crl", (1, None), number=10)
    assert place.json(0, ten, "--previous", nine, *config)[0]["verdict"] == "usable"
    refused(place, nine, "E_ROLLBACK", "--previous", ten, *config)
    refused(place, place.crl("10b.crl", number=10), "E_EQUIVOCATION", "--previous", ten, *config)
    assert place.json(0, ten, "--previous", ten, *config)[0]["same"] is True
    refused(place, nine, "E_ROLLBACK", "--number", "10", *config)
    refused(place, nine, "E_ROLLBACK", "--number", "0x0a", *config)
    assert place.json(0, ten, "--number", "9", *config)[0]["verdict"] == "usable"
    assert place.run(ten, "--number", "x", *config).returncode == 64
    assert place.run(ten, "--number", "1" * 60, *config).returncode == 64
    assert place.run(ten, "--number", "1", "--previous", nine, *config).returncode == 64
    done = place.run(ten, "--previous", place.write("not.crl", b"<html>"), *config)
    assert done.returncode == 1 and b"--previous: there is no CRL in it" in done.stderr


def test_delta(place):
    config = ("--config", place("etc"))
    base = place.crl("base.crl", (1, crl.HOLD), number=20)
    delta = place.crl("delta.crl", (2, None), number=22, more=[crl.delta_of(20)])
    answer, = place.json(0, delta, "--delta-of", base, *config)
    assert answer["kind"] == "delta" and answer["base_number_text"] == "20"
    assert place.devices(answer, "quarantine") == ["s-1", "s-2"]
    answer, = place.json(2, delta, *config)
    assert answer["limit"] == "E_BASE" and place.devices(answer, "quarantine") == ["s-2"]
    late = place.crl("late.crl", (2, None), number=24, more=[crl.delta_of(23)])
    assert place.json(2, late, "--delta-of", base, *config)[0]["limit"] == "E_BASE"
    refused(place, place.crl("bare.crl", (2, None), number=None, more=[crl.delta_of(20)]), "E_DELTA", "--delta-of", base,
            *config)


# ---- devices -----------------------------------------------------------------------


def test_a_batch_and_the_brake(place):
    config = ("--config", place("etc"))
    answer, = place.json(0, place.crl("batch.crl", (place.batch.serial, crl.CA_COMPROMISE)), *config)
    assert place.devices(answer, "quarantine") == ["b-1", "b-2"]
    assert {d["evidence"] for d in answer["effects"]["devices"]} == {"issuer"}
    assert answer["effects"]["waiting"] == 0
    answer, = place.json(0, place.crl("many.crl", *((i, None) for i in range(1, BRAKE + 2))), *config)
    assert answer["effects"]["quarantine"] == answer["effects"]["waiting"] == BRAKE + 1
    answer, = place.json(0, place.crl("critical.crl", (1, None), (6, None)), *config)
    assert answer["effects"]["quarantine"] == 2 and answer["effects"]["waiting"] == 1
    text = place.text(0, place.crl("critical.crl", (1, None), (6, None)), *config)
    assert "of these 1 would wait for a person: critical" in text


def test_who_may_sign(place):
    """A certificate that a declared authority has stands for it; a signer that it does not
    name is told apart from one that it does."""
    answer, = place.json(0, place.crl("ca.crl", (2, None)), "--ca", place("ca.pem"), "--config", place("etc"))
    assert answer["authority"] == "factory-ca" and place.devices(answer, "quarantine") == ["s-2"]
    signer = crl.CA("Factory CRLs", issuer=place.ca, days=(day(-30), day(300)))
    place.write("signer.pem", crl.pem(signer.certificate, "CERTIFICATE"))
    name = place.write("signer.crl", crl.crl(signer, crl.entry(2, date=day(-2), issuer=place.ca.name), this=day(-1),
                                             next=day(6), more=[crl.scope(indirect=True)]))
    refused(place, name, "E_SIGNER", "--config", place("etc"))
    answer, = place.json(2, name, "--crl-issuer", place("signer.pem"), "--config", place("etc"))
    assert answer["limit"] == "E_SIGNER" and place.devices(answer, "listed-by-untrusted") == ["s-2"]
    assert place.devices(answer, "quarantine") == []


def test_whose_is_not_declared(place):
    stranger = crl.CA("Stranger", days=(day(-300), day(300)))
    place.write("stranger.pem", crl.pem(stranger.certificate, "CERTIFICATE"))
    text = place.text(0, place.crl("stranger.crl", (1, None), ca=stranger), "--ca", place("stranger.pem"), "--config",
                      place("etc"))
    assert "devices      not asked: no authority of the policy has this certificate" in text


# ---- many --------------------------------------------------------------------------


def test_bundles_and_several_files(place):
    good, bad = place.crl("g.crl", (1, None), number=3), place.write("b.crl", b"\x30\x03\x02\x01\x00")
    other = place.crl("o.crl", ca=place.batch)
    bundle = place.write("bundle.pem", b"what follows\n" + b"".join(crl.pem(open(f, "rb").read()) for f in (good, bad, other)))
    answers = place.json(1, bundle, "--config", place("etc"))
    assert [a["n"] for a in answers] == [0, 1, 2]
    assert [a["verdict"] for a in answers] == ["usable", "refused", "usable"]
    assert [a["authority"] for a in answers] == ["factory-ca", None, "batch-ca"]
    text = place.text(1, good, bad, bundle, "--config", place("etc")).splitlines()
    assert len(text) == 5
    assert text[0] == f"{good}: usable, fresh; quarantine 1 (0 would wait), clear 0"
    assert text[3].startswith(f"{bundle} (CRL 2): REFUSED, E_DER: ")
    assert place.text(4, good, place("nothing"), bad, "--config", place("etc"))
    assert place.run("-", "-", data=b"").returncode == 64
    assert place.run(place.path, "--config", place("etc")).returncode == 4


def test_arguments(place):
    good = place.crl("args.crl")
    for argv, code, words in (
            ([good, "--ca", place("nothing.pem")], 1, b"No such file"),
            ([good, "--ca", good], 1, b"no certificate in PEM or DER"),
            ([good, "--config", place("nowhere")], 1, b"no configuration in"),
            ([], 64, b"needs FILE")):
        done = place.run(*argv)
        assert done.returncode == code and words in done.stderr, done.stderr


# ---- hostile -----------------------------------------------------------------------


def test_hostile_and_large(place):
    """Sixteen mebibytes of each kind, in an address space that could not hold what a parser
    makes of them."""
    fill = b"\x30\x82" + b"\0" * (1 << 24)
    good = open(place.crl("h.crl", (1, None)), "rb").read()
    entries = crl.crl(place.ca, *[crl.entry(1 << 64 | i, date=day(-2)) for i in range(3000)], this=day(-1), next=day(6))
    many = place.ca.crl(b"".join(crl.entry((1 << 64) + i, date=day(-2)) for i in range(1000)) * 620, this=day(-1),
                        next=day(6))
    assert len(many) > 1 << 24
    names = b"\x30\x84\x01\x00\x00\x00\x30\x84\x00\xff\xff\xfa" + b"\x30\x00" * (1 << 23)
    place.write("fill.bin", fill)
    place.write("many.bin", many)
    place.write("unsigned.bin", many[:-1] + bytes([many[-1] ^ 1]))
    place.write("names.bin", names)
    place.write("text.bin", b"-----BEGIN X509 CRL-----\n" + b"A" * (1 << 24))
    place.write("some.bin", entries)
    place.write("gzip.bin", b"\x1f\x8b" + b"\0" * (1 << 24))

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20))
    for name, code in (("fill.bin", 1), ("unsigned.bin", 1), ("names.bin", 1), ("text.bin", 1), ("gzip.bin", 1),
                       ("many.bin", 0), ("some.bin", 0)):
        done = place.run(place(name), "--ca", place("ca.pem"), "--json", limit=limit)
        assert done.returncode == code, (name, done)
        answer = json.loads(done.stdout.splitlines()[0])
        assert (answer["verdict"] == "usable") == (code == 0), name
    assert good


def test_text_cannot_touch_the_terminal(place):
    evil = crl.CA("x", name_der=crl.name("Evil\x1b[2J\r\n\u202eCA"), days=(day(-300), day(300)))
    place.write("evil.pem", crl.pem(evil.certificate, "CERTIFICATE"))
    done = place.run(place.crl("evil.crl", ca=evil), "--ca", place("evil.pem"))
    assert done.returncode == 0 and b"Evil" in done.stdout
    assert b"\x1b" not in done.stdout and b"\r" not in done.stdout and "\u202e".encode() not in done.stdout


# ---- golden ------------------------------------------------------------------------


def normal(place, text):
    text = text.replace(place.path + "/", "")
    # a signature has an octet more or less
    return re.sub(r"(entry|entries) in [0-9,]+ octets", r"\1 in N octets", re.sub(r"at octet \d+", "at octet N", text))


def test_golden_text(place):
    config = ("--config", place("etc"))
    place.crl("full.crl", (1, KEY_COMPROMISE), (6, crl.HOLD), number=2560)
    place.crl("shard.crl", (2, 99), more=[crl.scope(urls=["http://pki.example/7.crl"], reasons=[1, 2])])
    place.crl("dlt.crl", (3, None), number=2562, more=[crl.delta_of(2560)])
    place.write("cut.crl", open(place("full.crl"), "rb").read()[:-20])
    parts = []
    for argv in (["full.crl"], ["shard.crl"], ["dlt.crl"], ["dlt.crl", "--delta-of", "full.crl"], ["cut.crl"],
                 ["full.crl", "shard.crl", "cut.crl"], ["full.crl", "--json"]):
        done = place.run(*argv, *config)
        text = done.stdout.decode()
        if "--json" in argv:
            text = json.dumps({k: v for k, v in json.loads(text).items() if k != "bytes"}, indent=2, sort_keys=True) + "\n"
        parts.append(f"$ crl check {' '.join(argv)}\n{normal(place, text)}exit {done.returncode}\n\n")
    path = os.path.join(HERE, "crl-check.text")
    if UPDATE:
        with open(path, "w", encoding="utf-8") as f:
            f.write("".join(parts))
    with open(path, encoding="utf-8") as f:
        assert "".join(parts) == f.read()


# ---- CRLs of others ----------------------------------------------------------------


def corpus(*pattern):
    files = sorted(glob.glob(os.path.join(DATA, "pki", *pattern)))
    if not files:
        pytest.skip(f"no {'/'.join(pattern)} in {DATA}")
    return files


def test_fuzz_corpus(place):
    """A thousand broken CRLs, each with a line of its own, none of which kills the child."""
    files = [f for f in corpus("openssl-fuzz-crl", "*") if os.path.getsize(f) > 0]
    done = place.run(*files, "--ca", place("ca.pem"), "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {a["file"] for a in answers} == set(files)
    assert all(a["verdict"] == "refused" for a in answers)
    assert done.returncode == 1 and b"killed" not in done.stderr


def test_mbedtls(place):
    corpus("mbedtls-crl", "crl.pem")
    folder = os.path.join(DATA, "pki/mbedtls-crl")
    done = place.run(os.path.join(folder, "crl_sha256.pem"), "--ca", os.path.join(folder, "test-ca.crt"), "--json", "--at",
                     "2012-01-01T00:00:00Z")
    assert json.loads(done.stdout)["issuer"], done


def test_pkits(place):
    """Its good CA's CRL is good, and those that it calls bad are refused."""
    files = {os.path.basename(f): f for f in corpus("pkits", "crls", "*.crl")}
    ca = os.path.join(DATA, "pki/pkits/certs/GoodCACert.crt")
    if not os.path.exists(ca):
        pytest.skip(f"no {ca}")
    answer, = place.json(0, files["GoodCACRL.crl"], "--ca", ca, "--at", "2012-01-01T00:00:00Z")
    assert answer["entries"] == 2 and answer["issuer"] == "CN=Good CA,O=Test Certificates 2011,C=US"
    for name in ("BadCRLSignatureCACRL.crl", "UnknownCRLExtensionCACRL.crl"):
        folder = os.path.dirname(ca)
        issuer = os.path.join(folder, name.replace("CRL.crl", "Cert.crt").replace("CRLSignatureCACert", "CRLSignatureCACert"))
        if os.path.exists(issuer):
            assert place.json(1, files[name], "--ca", issuer, "--at", "2012-01-01T00:00:00Z")[0]["verdict"] == "refused"
