# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules that overlap in every shape: the kernel takes them, packets agree with the rules as they
are written, and `policy explain` names lines that say so."""
import ipaddress
import json
import random

import pytest

from lab.packets import ESP, GRE, ICMP, ICMP6, SCTP, TCP, UDP
from world import payload, tag_of

pytestmark = pytest.mark.once

RULES, PROBES, EXPLAINED = 200, 240, 50
BASE = {4: ipaddress.ip_address("192.0.2.32"), 6: ipaddress.ip_address("fd20::20")}
HOSTS = 16          # addresses from there on, which nobody has
PORTS = range(1000, 1036)
BY_PORT = {"tcp": TCP, "udp": UDP, "sctp": SCTP}
FIRST_LINE = 4      # of the rules in the class's file


class Rule:
    """One random rule: as text, and as what it covers."""

    def __init__(self, rng):
        self.to = [self._destination(rng) for _ in range(rng.randint(1, 2))]
        self.ports = []             # (protocol, low, high)
        self.types = {4: [], 6: []}
        self.protocols = []
        words = []
        for _ in range(rng.randint(1, 2)):
            words.append(self._service(rng, sorted({family for family, _, _, _ in self.to})))
        to = ", ".join(f'"{text}"' for _, _, _, text in self.to)
        self.text = f"{{ to = ( {to} ); {self._joined(words)} }}"

    @staticmethod
    def _joined(words):
        by_key = {}
        for key, value in words:
            by_key.setdefault(key, []).append(value)
        return " ".join(f"{key} = ( {', '.join(values)} );" for key, values in by_key.items())

    @staticmethod
    def _destination(rng):
        family = rng.choice((4, 6))
        shape = rng.random()
        low = rng.randrange(HOSTS)
        if shape < 0.4:
            return family, low, low, str(BASE[family] + low)
        if shape < 0.75:
            high = min(HOSTS - 1, low + rng.randint(1, 6))
            return family, low, high, f"{BASE[family] + low}-{BASE[family] + high}"
        size = rng.choice((2, 4, 8))
        low -= low % size
        length = (32 if family == 4 else 128) - (size - 1).bit_length()
        return family, low, low + size - 1, f"{BASE[family] + low}/{length}"

    def _service(self, rng, families):
        kind = rng.random()
        if kind < 0.8 or (kind < 0.9 and len(families) > 1):     # ICMP's types are of one family
            key = rng.choice(tuple(BY_PORT))
            low = rng.choice(PORTS)
            high = low if rng.random() < 0.4 else min(PORTS[-1], low + rng.randint(1, 9))
            self.ports.append((BY_PORT[key], low, high))
            return key, str(low) if low == high else f'"{low}-{high}"'
        if kind < 0.9:
            family, = families
            low, high = rng.choice(((8, 8), (13, 13), (8, 13)) if family == 4 else ((128, 128), (139, 139), (128, 139)))
            self.types[family].append((low, high))
            return "icmp" if family == 4 else "icmpv6", f'"{low}-{high}"' if low != high else str(low)
        proto = rng.choice((GRE, ESP, SCTP))
        self.protocols.append(proto)
        return "protocol", str(proto)

    def covers(self, family, host, proto, at):
        if not any(f == family and low <= host <= high for f, low, high, _ in self.to):
            return False
        return (proto in self.protocols
                or any(p == proto and low <= at <= high for p, low, high in self.ports)
                or (proto in (ICMP, ICMP6) and any(low <= at <= high for low, high in self.types[family])))


def random_probe(rng, family):
    proto = rng.choice((TCP, UDP, SCTP, TCP, UDP, SCTP, ICMP if family == 4 else ICMP6, GRE, ESP))
    if proto in (ICMP, ICMP6):
        at = rng.choice((8, 13, 17) if family == 4 else (128, 139))
    else:
        at = rng.choice(PORTS) if proto in BY_PORT.values() else 0
    return rng.randrange(HOSTS), proto, at


@pytest.fixture(scope="module")
def seed():
    return random.randrange(1 << 32)


@pytest.fixture(scope="module")
def rules(seed):
    rng = random.Random(seed)
    return [Rule(rng) for _ in range(RULES)]


@pytest.fixture(scope="module")
def world(make_world, rules, seed):
    made = make_world(kinds=(("sensor", 1),), start=False)
    made.site.classes = {"sensor": [rule.text for rule in rules]}
    made.site.write()
    with open(f"{made.cordon.etc}/classes.d/sensor.conf", encoding="ascii") as f:
        lines = f.read().splitlines()
    assert all(rule.text in lines[FIRST_LINE - 1 + i] for i, rule in enumerate(rules)), seed
    for family in (4, 6):
        made.lab.router.ip(*(f"neigh replace {BASE[family] + i} lladdr {made.lab.server.mac} dev out0 nud permanent"
                             for i in range(HOSTS)))
    made.start()
    return made


def test_packets_agree_with_the_rules_as_written(world, rules, seed, family):
    sensor, server = world.lab.devices[0], world.lab.server
    rng = random.Random(seed + family)
    probes = {f"p{i}": random_probe(rng, family) for i in range(PROBES)}
    expected = {name for name, (host, proto, at) in probes.items()
                if any(rule.covers(family, host, proto, at) for rule in rules)}
    assert PROBES / 20 < len(expected) < PROBES * 19 / 20, seed
    frames = {}
    for name, (host, proto, at) in probes.items():
        dst = str(BASE[family] + host)
        frames[name] = world.frame(sensor, server, family, proto, dst=dst, payload=payload(
            sensor, server, family, proto, at, tag_of(name), dst=dst))
    arrived = world.arrived(sensor, server, frames, expected)
    assert arrived == expected, (seed, {name: probes[name] for name in arrived ^ expected})


def test_explain_names_lines_that_say_so(world, rules, seed):
    """Of random probes of both families: the verdict, and that each named line covers it."""
    rng = random.Random(seed + 1)
    sensor = world.lab.devices[0]
    allowed = 0
    for i in range(EXPLAINED):
        family = 4 if i % 2 else 6
        host, proto, at = random_probe(rng, family)
        service = ({TCP: "--tcp", UDP: "--udp", SCTP: "--sctp", ICMP: "--icmp", ICMP6: "--icmp"}.get(proto, "--protocol"),
                   str(at or proto))
        to = str(BASE[family] + host)
        done = world.cordon.try_ctl("policy", "explain", "--device", sensor.name, "--to", to, *service, "--json")
        said = json.loads(done.stdout)
        covering = {FIRST_LINE + n for n, rule in enumerate(rules) if rule.covers(family, host, proto, at)}
        assert (said["verdict"] == "allowed") == bool(covering) == (done.returncode == 0), (seed, to, service, said)
        named = {rule["where"]["line"] for rule in said["rules"] if rule["open"]}
        assert bool(named) == bool(covering) and named <= covering, (seed, to, service, named, covering)
        allowed += bool(covering)
    assert 0 < allowed < EXPLAINED, seed


def test_other_rules_in_one_transaction(world, rules, seed, family):
    """Half of them goes and others come, in one apply: the kernel takes that as well."""
    rng = random.Random(seed + 2)
    sensor, server = world.lab.devices[0], world.lab.server
    kept = [*rules[:RULES // 2], *(Rule(rng) for _ in range(RULES // 2))]
    with world.changed() as site:
        site.classes["sensor"] = [rule.text for rule in kept]
        assert world.apply()["applied"], seed
        probes = [random_probe(rng, family) for _ in range(40)]
        frames, expected = {}, set()
        for i, (host, proto, at) in enumerate(probes):
            name, dst = f"q{i}", str(BASE[family] + host)
            frames[name] = world.frame(sensor, server, family, proto, dst=dst, payload=payload(
                sensor, server, family, proto, at, tag_of(name), dst=dst))
            if any(rule.covers(family, host, proto, at) for rule in kept):
                expected.add(name)
        arrived = world.arrived(sensor, server, frames, expected)
        assert arrived == expected, (seed, {n: probes[int(n[1:])] for n in arrived ^ expected})
        assert world.cordon.ask("policy", "verify")["agrees"]
