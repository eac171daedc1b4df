# SPDX-License-Identifier: GPL-2.0-or-later
"""What the measurements share: figures, policies of any size, the built programs."""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(SOURCE, "tests"))
BUILD = os.environ.get("CORDON_BUILD", os.path.join(SOURCE, "build"))


class Bench:
    """Collects figures and prints them as bench/run wants them."""

    def __init__(self, name):
        self.name = name
        self.figures = []
        parser = argparse.ArgumentParser(prog=name)
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--long", action="store_true")
        self.args = parser.parse_args()
        self.long = self.args.long

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def figure(self, name, value, unit, baseline=None, target=None, at_least=True):
        """at_least: the value must reach the target; otherwise it must not pass it."""
        holds = None if target is None else (value >= target if at_least else value <= target)
        self.figures.append({"name": name, "value": value, "unit": unit, "baseline": baseline,
                             "target": target, "holds": holds})
        self.say(f"{name}: {value} {unit} (baseline {baseline}, target {target}: "
                 f"{'holds' if holds else 'no target' if holds is None else 'MISSED'})")

    def done(self):
        print(json.dumps({"bench": self.name, "figures": self.figures}))
        return 0 if all(f["holds"] is not False for f in self.figures) else 1


def program(name):
    """A generator that was built from bench/, or an installed program."""
    for sub in (f"normal/bench/{name}", f"stage/sbin/{name}", f"stage/bin/{name}",
                f"stage/libexec/cordon/{name}"):
        path = os.path.join(BUILD, sub)
        if os.path.exists(path):
            return path
    raise SystemExit(f"no {name} below {BUILD}: build first (quickstart build)")


def ratios(pairs):
    """Median of value / baseline over paired rounds."""
    return statistics.median(a / b for a, b in pairs)


def median(values):
    return statistics.median(values)


# ---- a policy of any size -----------------------------------------------------

def device_mac(i):
    return f"02:10:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


def device_ip4(i):
    i += 1
    return f"10.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"


def destination(c, r):
    """Of rule r of class c: its address and port."""
    return f"198.{18 + (c >> 8)}.{c & 255}.{r % 250 + 1}", 5000 + r // 250


def write_policy(folder, devices, classes, rules, interface="lan0", port_bound=False):
    """devices spread over classes, each class with so many destinations."""
    os.makedirs(os.path.join(folder, "classes.d"), exist_ok=True)
    os.makedirs(os.path.join(folder, "devices.d"), exist_ok=True)
    with open(os.path.join(folder, "cordon.conf"), "w", encoding="ascii") as f:
        f.write(f'appliance: {{\n  device_interfaces = [ "{interface}" ];\n'
                '  quarantine: { allow = ( { to = "192.0.2.5"; tcp = 443; } ); };\n};\n')
    with open(os.path.join(folder, "classes.d", "bench.conf"), "w", encoding="ascii") as f:
        f.write("classes = (\n")
        for c in range(classes):
            lines = []
            for r in range(rules):
                address, port = destination(c, r)
                lines.append(f'    {{ to = "{address}"; udp = {port}; }}')
            f.write(f'  {{ name = "class-{c}"; mode = "enforce"; allow = (\n' + ",\n".join(lines)
                    + " ); }" + ("," if c + 1 < classes else "") + "\n")
        f.write(");\n")
    port = interface if port_bound else ""
    with open(os.path.join(folder, "devices.d", "bench.csv"), "w", encoding="ascii") as f:
        f.write("name,class,mac,address,interface\n")
        for i in range(devices):
            f.write(f"d{i},class-{i % classes},{device_mac(i)},{device_ip4(i)},{port}\n")
    for where, _, files in os.walk(folder):
        os.chmod(where, 0o755)
        for name in files:
            os.chmod(os.path.join(where, name), 0o644)
    return folder


def print_nft(folder, out):
    """The ruleset of a configuration, as text that nft -f takes."""
    with open(out, "w", encoding="ascii") as f:
        done = subprocess.run([program("cordonctl"), "policy", "print", "--nft", "--config", folder,
                               "--programs", os.path.join(BUILD, "stage/libexec/cordon")],
                              stdout=f, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"cordonctl policy print: {done.stderr.strip()[-2000:]}")
    return out
