# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration -> policy text -> nft syntax, each compared with a file beside it;
the nft syntax is loaded by nft itself, listed, compared and loaded again.

GOLDEN_UPDATE=1 writes the files anew: look at the difference before committing."""
import calendar
import ipaddress
import json
import os
import re
import socket
import subprocess
import time

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("CORDON_BUILD", os.path.join(HERE, "../../build"))
STAGE = os.path.join(BUILD, "stage")
CASES = sorted(name for name in os.listdir(HERE) if os.path.exists(os.path.join(HERE, name, "cordon.conf")))
UPDATE = os.environ.get("GOLDEN_UPDATE") == "1"
WINDOW = re.compile(r'"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"-"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"')
ICMP_TYPES = {"echo-reply": {4: 0, 6: 129}, "echo-request": {4: 8, 6: 128}, "timestamp-request": {4: 13},
              "timestamp-reply": {4: 14}}


def ctl(*argv):
    done = subprocess.run([os.path.join(STAGE, "sbin/cordonctl"), "--programs",
                           os.path.join(STAGE, "libexec/cordon"), *argv],
                          text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_netns(script, text):
    """A shell line in a network namespace of its own, with text on its input."""
    return subprocess.run(["unshare", "-n", "sh", "-ec", script], input=text, text=True,
                          env={**os.environ, "TZ": "UTC"}, capture_output=True, check=False, timeout=60)


def nft(script, text):
    done = in_netns(script, text)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session", autouse=True)
def namespaces():
    if in_netns("nft list ruleset", "").returncode != 0:
        pytest.skip("no right to make a network namespace and load rules in it")


@pytest.fixture(params=CASES)
def case(request):
    return os.path.join(HERE, request.param)


@pytest.fixture
def printed(case):
    return ctl("policy", "print", "--nft", case)


def same_as_file(path, text):
    if UPDATE:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
    with open(path, encoding="utf-8") as f:
        assert text == f.read()


def without_windows(text):
    """They begin on the day before, so that they are others tomorrow."""
    return "".join(line for line in text.splitlines(keepends=True) if not WINDOW.search(line))


def test_nft_is_the_same(case, printed):
    same_as_file(case + ".nft", without_windows(printed))


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def test_windows(printed):
    """From the day before for years, ascending, and apart from each other."""
    sets = re.findall(r"\tset (windows_\d+) {\n.*?\n\t}\n", printed, re.S)
    assert len(sets) == len(set(re.findall(r"@windows_\d+", printed)) | {"@" + name for name in sets})
    for name in sets:
        body = re.search(rf"\tset {name} {{\n.*?\n\t}}\n", printed, re.S).group(0)
        windows = [tuple(map(seconds, w)) for w in WINDOW.findall(body)]
        edges = [edge for window in windows for edge in window]
        assert edges == sorted(set(edges)) and len(windows) > 200, name
        assert edges[0] > time.time() - 3 * 86400
        assert edges[0] < time.time() + 8 * 86400
        assert edges[-1] > time.time() + 4 * 365 * 86400


def test_nft_accepts(printed):
    nft("nft -c -f -", printed)


def test_policy_is_the_same(case):
    same_as_file(case + ".policy", ctl("policy", "print", case))


def test_policy_reads_back(case, tmp_path):
    text = ctl("policy", "print", case)
    (tmp_path / "cordon.conf").write_text(text)
    assert ctl("policy", "print", str(tmp_path)) == text


# ---- what the kernel holds after nft loaded it -------------------------------


def number(text):
    return int(text, 16) if text.startswith("0x") else int(text)


def scalar(value, family):
    """One end of a field as a comparable value."""
    if isinstance(value, int):
        return value
    if re.fullmatch(r"0x[0-9a-f]+|\d+", value):
        return number(value)
    if value == "none":     # how nft lists the class with the number 0
        return "0:0"
    if value in ICMP_TYPES:
        return ICMP_TYPES[value][family]
    if WINDOW.fullmatch(f'"{value}"-"{value}"'):
        return seconds(value)
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        pass
    try:
        return socket.getprotobyname(value)
    except OSError:
        return value        # a MAC or an interface


def field_of_json(value, family):
    if isinstance(value, dict) and "prefix" in value:
        net = ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")
        return net[0], net[-1]
    if isinstance(value, dict) and "range" in value:
        return tuple(scalar(v, family) for v in value["range"])
    return (scalar(value, family),) * 2


def key_of_json(value, family):
    if isinstance(value, dict) and "elem" in value:
        value = value["elem"]["val"]
    fields = value["concat"] if isinstance(value, dict) and "concat" in value else [value]
    return tuple(field_of_json(f, family) for f in fields)


def data_of_json(value):
    return value["goto"]["target"] if isinstance(value, dict) else value


def listed_sets(listing):
    sets = {}
    for item in listing:
        for kind in ("set", "map"):
            if kind not in item:
                continue
            s = item[kind]
            family = 6 if any("6" in t for t in s["type"]) else 4
            sets[s["name"]] = sorted(
                ((key_of_json(e[0], family), data_of_json(e[1])) if kind == "map"
                 else (key_of_json(e, family), None) for e in s.get("elem", [])), key=repr)
    return sets


def field_of_text(text, family):
    window = WINDOW.fullmatch(text)
    if window:
        return tuple(map(seconds, window.groups()))
    text = text.strip('"')
    if re.fullmatch(r"[^-]+-[^-]+", text) and re.match(r"[0-9a-f:.]+-", text):
        return tuple(scalar(v, family) for v in text.split("-"))
    return (scalar(text, family),) * 2


def printed_sets(text):
    sets, name, family = {}, None, 4
    for line in text.split("\n"):
        head = re.match(r"\t(?:set|map) (\S+) {", line)
        if head:
            name = head.group(1)
            sets[name] = []
        elif line.startswith("\t\ttype "):
            family = 6 if "6" in line else 4
        elif line.startswith("\t\t\t"):
            key, _, data = line.strip().rstrip(",").partition(" : ")
            data = data.replace("goto ", "") or None
            sets[name].append((tuple(field_of_text(f, family) for f in key.split(" . ")),
                               number(data) if data and data.startswith("0x") else data))
    return {name: sorted(elements, key=repr) for name, elements in sets.items()}


def printed_rules(text):
    rules, name = {}, None
    for line in text.split("\n"):
        head = re.match(r"\tchain (\S+) {", line)
        if head:
            name = head.group(1)
            rules[name] = 0
        elif line == "\t}":
            name = None
        elif name and not line.startswith("\t\ttype filter hook"):
            rules[name] += 1
    return rules


def test_kernel_holds_what_is_printed(printed):
    listing = json.loads(nft("nft -f -; nft -j list table inet cordon", printed))["nftables"]
    kernel, text = listed_sets(listing), printed_sets(printed)
    assert kernel.keys() == text.keys()
    for name in text:
        assert kernel[name] == text[name], name
    rules = {item["chain"]["name"]: 0 for item in listing if "chain" in item}
    for item in listing:
        if "rule" in item:
            rules[item["rule"]["chain"]] += 1
    assert rules == printed_rules(printed)


def test_listing_loads_again(printed):
    listed = nft("nft -f -; nft -s list table inet cordon", printed)
    assert nft("nft -f -; nft -s list table inet cordon", listed) == listed
