# SPDX-License-Identifier: GPL-2.0-or-later
"""Every key that the reader knows is in the manual and in the example of everything."""
import glob
import os
import re

import pytest

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
EXAMPLE = os.path.join(SOURCE, "conf/examples/everything")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def keys():
    """From the tables of the reader: { "name", key_name, ... }, and the columns of inventories."""
    text = "".join(read(path) for path in glob.glob(os.path.join(SOURCE, "src/config/*.c")))
    found = set(re.findall(r'\{ "(\w+)", key_\w+,', text)) | set(re.findall(r'\[C_\w+\] = "(\w+)"', text))
    assert len(found) > 40
    return sorted(found)


@pytest.fixture(scope="module", name="example")
def fixture_example():
    text = ""
    for path in glob.glob(os.path.join(EXAMPLE, "**/*"), recursive=True):
        if path.endswith(".conf"):
            text += re.sub(r"#.*", "", read(path))
        elif path.endswith(".csv"):
            text += read(path).splitlines()[0].replace(",", " =") + " =\n"
    return text


@pytest.fixture(scope="module", name="manual")
def fixture_manual():
    text = read(os.path.join(SOURCE, "doc/man/cordon.conf.5"))
    described = set()
    for line in re.findall(r"^\.It Ic (.*)$", text, re.M) + re.findall(r"^\.Ic (.*)$", text, re.M):
        described |= set(re.findall(r"\w+", line))
    return described | set(re.findall(r"^\.Ql (\w+)", text, re.M))


def test_manual_says_nothing_else():
    """What the manual gives as a key with a value is one that the reader knows."""
    text = read(os.path.join(SOURCE, "doc/man/cordon.conf.5"))
    told = set(re.findall(r"^\.It Ic (\w+) No = ", text, re.M)) | set(re.findall(r"[;{] Ic (\w+) No = ", text))
    assert len(told) > 40
    assert told - set(keys()) == set()


@pytest.mark.parametrize("what", ["refresh", "skew", "grace", "max_age", "when_stale", "when_unchecked", "rollover", "hold",
                                  "sha1", "covers", "max_size", "timeout", "ca", "pin", "proxy", "no_proxy", "hosts", "delta",
                                  "devices", "nonce", "unknown", "critical", "crl_issuer", "ocsp_issuer", "devices_crl", "brake"])
def test_manual_tells_the_default(what):
    """Of every key about revocation: its type in its first line, and its default."""
    text = read(os.path.join(SOURCE, "doc/man/cordon.conf.5"))
    items = re.findall(rf"^\.It Ic {what} No = (.+)\n((?:(?!\.It |\.El).*\n)*)", text, re.M)
    assert items
    assert any(re.search(r"string|duration|number|boolean|\.\.\.", kind) for kind, _ in items)
    assert any("Default:" in body or "at most 16" in body for _, body in items)


@pytest.mark.parametrize("key", keys())
def test_key(key, example, manual):
    assert re.search(rf"\b{key}\s*[=:]", example), "not in the example"
    assert key in manual, "not in the manual"
