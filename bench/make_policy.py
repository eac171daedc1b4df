#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a configuration folder of any size, the same one every time.

Devices stand behind lan0 with addresses in 10.0.0.0/8 and fd00::/64; class
rules name servers in 192.168.0.0/16 and 2001:db8::/32 on a few ports each.
"""
import argparse
import os

DEVICES_PER_FILE = 5000
CLASSES_PER_FILE = 100


def device_words(i, classes):
    """Name, class, MAC, addresses of device i; the first address is 10.0.1.0."""
    n = i + 256
    mac = "02:" + ":".join(f"{(n >> shift) & 255:02x}" for shift in (32, 24, 16, 8, 0))
    ip4 = f"10.{(n >> 16) & 255}.{(n >> 8) & 255}.{n & 255}"
    ip6 = f"fd00::{n >> 16:x}:{n & 0xffff:x}"
    return f"device-{i:06d}", f"class-{i % classes:04d}", mac, ip4, ip6


def rule_text(c, k):
    """Rule k of class c: every fourth is IPv6, every fifth has a range of ports."""
    n = c * 61 + k
    if k % 4 == 3:
        to = f"2001:db8:{n >> 16:x}:{n & 0xffff:x}::/64"
    elif k % 4 == 2:
        low = ((n >> 8) & 15) * 16 + 1
        to = f"192.168.{n & 255}.{low}-192.168.{n & 255}.{low + 7}"
    else:
        to = f"192.168.{(n >> 4) & 255}.{(n & 15) * 16}/28"
    port = 1000 + (k * 131) % 50000
    ports = f'"{port}-{port + 9}"' if k % 5 == 4 else f"{port}"
    return f'{{ to = "{to}"; {"udp" if k % 3 == 2 else "tcp"} = {ports}; }}'


def class_text(c, rules):
    allow = ",\n\t\t".join(rule_text(c, k) for k in range(rules)) if rules else ""
    allow = f"(\n\t\t{allow} )" if rules else '"nothing"'
    return f'\t{{ name = "class-{c:04d}"; allow = {allow}; }}'


def write_in_parts(folder, stem, key, items, per_file):
    os.makedirs(folder, exist_ok=True)
    for part in range(0, len(items), per_file):
        with open(os.path.join(folder, f"{stem}-{part // per_file:03d}.conf"), "w", encoding="ascii") as f:
            f.write(f"{key} = (\n" + ",\n".join(items[part:part + per_file]) + "\n);\n")


def write_csv(path, devices, classes):
    with open(path, "w", encoding="ascii") as f:
        f.write("name,class,mac,address\n")
        for i in range(devices):
            name, kind, mac, ip4, ip6 = device_words(i, classes)
            f.write(f"{name},{kind},{mac},{ip4};{ip6}\n")


def write_policy(out, devices, classes, rules, csv=False, interface="lan0"):
    os.makedirs(os.path.join(out, "devices.d"), exist_ok=True)
    with open(os.path.join(out, "cordon.conf"), "w", encoding="ascii") as f:
        f.write(f'appliance: {{ device_interfaces = [ "{interface}" ];\n'
                '\tquarantine: { allow = ( { to = "192.0.2.80"; tcp = 443; } ); }; };\n')
    write_in_parts(os.path.join(out, "classes.d"), "classes", "classes",
                   [class_text(c, rules) for c in range(classes)], CLASSES_PER_FILE)
    if csv:
        write_csv(os.path.join(out, "devices.d", "devices.csv"), devices, classes)
        return
    lines = []
    for i in range(devices):
        name, kind, mac, ip4, ip6 = device_words(i, classes)
        lines.append(f'\t{{ name = "{name}"; class = "{kind}"; mac = "{mac}"; '
                     f'address = [ "{ip4}", "{ip6}" ]; }}')
    write_in_parts(os.path.join(out, "devices.d"), "devices", "devices", lines, DEVICES_PER_FILE)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--devices", type=int, default=1000)
    p.add_argument("--classes", type=int, default=10)
    p.add_argument("--rules", type=int, default=50, help="per class")
    p.add_argument("--csv", action="store_true", help="devices as one CSV inventory")
    p.add_argument("--interface", default="lan0")
    p.add_argument("--out", required=True, metavar="DIR")
    a = p.parse_args()
    write_policy(a.out, a.devices, a.classes, a.rules, a.csv, a.interface)


if __name__ == "__main__":
    main()
