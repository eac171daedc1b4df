# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: which namespaces there are, their addresses, and how they are wired.

    device namespaces --- own port --- router --- out0 --- switch --- server, other,
    shared devices --- switch (br-lan) --- lan0 -/                     web, remedy, mgmt
"""
import itertools
import json
import os
import shutil
import time

from . import netns
from .netns import Namespace

STATE = "/run/cordon-lab"
STANDING = "cordon"     # prefix of the lab that is kept: cordon-router, cordon-sensor-0001 ...
GATEWAY4 = "10.10.255.254"
GATEWAY6 = "fe80::1"
ROUTER4, ROUTER6 = "192.0.2.1", "fd20::1"
SHARED4, SHARED6 = "10.10.254.254", "fd10:0:0:fe::fe"
SHARED_PORT = "lan0"

# name: last part of the address, in 192.0.2.0/24 and fd20::/64
OUTSIDE = {
    "server": 2,        # what the classes may reach
    "other": 3,         # what they may not
    "remedy": 5,        # what a quarantined device may still reach
    "mgmt": 10,         # the operators' machine
    "web": 80,          # publishes the CA's CRL
}

# Discovery of this many neighbours fits the kernel's default table (1,024
# entries for all namespaces together); larger labs write them down.
NEIGHBOURS_BY_DISCOVERY = 100


_count = itertools.count(1)


class Host:
    """A namespace with one interface, eth0, and an address of each family."""

    def __init__(self, ns, mac, ip4, ip6):
        self.ns = ns
        self.mac = mac
        self.ip4 = ip4
        self.ip6 = ip6

    def address(self, family):
        return self.ip6 if family in (6, "6", "ipv6") else self.ip4


class Device(Host):
    """Number n decides everything: name, MAC, addresses, serial, router port."""

    def __init__(self, prefix, n, kind, shared=False):
        self.n = n
        self.kind = kind
        self.shared = shared
        self.name = f"{kind}-{n:04d}"
        high, low = n >> 8, n & 255
        mac = f"02:00:00:00:{high:02x}:{low:02x}"
        ip6 = f"fd10::{n:x}"
        if shared:
            ip6 = f"fd10:0:0:fe::{low:x}"
        super().__init__(Namespace(f"{prefix}-{self.name}"), mac, f"10.10.{high}.{low}", ip6)
        self.serial = f"{n:04x}"
        self.port = SHARED_PORT if shared else f"port{n}"


def composition(total):
    """Sensors, cameras and gateways among so many devices."""
    gateways = max(1, total // 12)
    cameras = max(1, total // 6)
    return [("sensor", total - cameras - gateways), ("camera", cameras), ("gateway", gateways)]


class Lab:
    """Builds on `up`, takes everything away on `down`. A context manager."""

    def __init__(self, prefix=None, kinds=None, shared=None, first=1):
        self.prefix = prefix or f"cl{os.getpid()}n{next(_count)}"
        self.dir = os.path.join(STATE, self.prefix)
        self.router = Namespace(f"{self.prefix}-router")
        self.switch = Namespace(f"{self.prefix}-switch")
        self.hosts = {}
        for i, (name, last) in enumerate(OUTSIDE.items()):
            ns = Namespace(f"{self.prefix}-{name}")
            self.hosts[name] = Host(ns, f"02:00:00:ff:00:{last:02x}", f"192.0.2.{last}",
                                    f"fd20::{last}")
        self.devices = []
        n = first
        for kind, count in kinds if kinds is not None else composition(12):
            for _ in range(count):
                self.devices.append(Device(self.prefix, n, kind))
                n += 1
        # on the shared segment numbers begin at 0xfe01: 10.10.254.1
        n = 0xfe01
        for kind, count in shared or []:
            for _ in range(count):
                self.devices.append(Device(self.prefix, n, kind, shared=True))
                n += 1
        self.router_mac = {}

    # ---- looking things up -------------------------------------------------

    def __getattr__(self, name):
        hosts = self.__dict__.get("hosts", {})
        if name in hosts:
            return hosts[name]
        raise AttributeError(name)

    def device(self, name):
        return next(d for d in self.devices if d.name == name)

    def of_kind(self, kind):
        return [d for d in self.devices if d.kind == kind]

    def ports(self):
        """The router's device interfaces."""
        return sorted({d.port for d in self.devices})

    def namespaces(self):
        return ([self.router, self.switch] + [h.ns for h in self.hosts.values()]
                + [d.ns for d in self.devices])

    # ---- building ----------------------------------------------------------

    def up(self, owner=None):
        os.makedirs(self.dir, mode=0o755, exist_ok=True)
        self._write_state(owner)
        netns.add([ns.name for ns in self.namespaces()])
        large = len(self.devices) > NEIGHBOURS_BY_DISCOVERY
        self._router_basics()
        self._outside()
        if any(d.shared for d in self.devices):
            self._shared_segment()
        self._ports(large)
        for device in self.devices:
            self._device(device, large)
        self._settle(large)
        return self

    def _settle(self, large):
        """Links and IPv6 addresses take a moment; a test must not meet it."""
        devices = self.devices[-1:] if large else self.devices
        for ns, address in ([(self.router, h.address(f)) for h in self.hosts.values() for f in (4, 6)]
                            + [(self.router, d.address(f)) for d in devices for f in (4, 6)]):
            wait_for(f"{address} to answer the router", lambda: ns.run(
                ["ping", "-c1", "-W1", "-q", address], check=False).returncode == 0, timeout=20)

    def _write_state(self, owner):
        """What a later run needs to take this lab away."""
        state = {"owner": os.getpid() if owner is None else owner,
                 "started": start_time(os.getpid()) if owner is None else 0,
                 "namespaces": [ns.name for ns in self.namespaces()],
                 "kinds": [[d.kind, d.n, d.shared] for d in self.devices]}
        with open(os.path.join(self.dir, "lab.json"), "w", encoding="ascii") as f:
            json.dump(state, f)

    def _router_basics(self):
        self.router.sysctl(net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1,
                           net__ipv4__conf__all__rp_filter=0, net__ipv4__conf__default__rp_filter=0,
                           net__ipv6__conf__default__accept_dad=0,
                           net__ipv6__conf__default__addr_gen_mode=1)
        self.router.ip("link set lo up", f"addr add {GATEWAY4}/32 dev lo")
        self.switch.sysctl(net__ipv6__conf__all__disable_ipv6=1,
                           net__ipv6__conf__default__disable_ipv6=1)
        self.switch.ip("link add br-out type bridge mcast_snooping 0", "link set br-out up",
                       "link add br-lan type bridge mcast_snooping 0", "link set br-lan up")

    def _outside(self):
        self.router.ip(
            f"link add out0 address 02:00:00:ff:00:01 type veth peer name sw-out netns {self.switch.name}",
            f"addr add {ROUTER4}/24 dev out0", f"addr add {ROUTER6}/64 dev out0 nodad",
            # without a link-local address the kernel cannot ask for neighbours
            f"addr add {GATEWAY6}/64 dev out0 nodad", "link set out0 up")
        lines = ["link set sw-out master br-out up"]
        for name, host in self.hosts.items():
            lines += [f"link add sw-{name} type veth peer name eth0 address {host.mac} netns {host.ns.name}",
                      f"link set sw-{name} master br-out up"]
        self.switch.ip(*lines)
        for host in self.hosts.values():
            host.ns.sysctl(net__ipv6__conf__eth0__accept_dad=0, net__ipv4__conf__all__rp_filter=0)
            host.ns.ip("link set lo up", f"addr add {host.ip4}/24 dev eth0",
                       f"addr add {host.ip6}/64 dev eth0 nodad", "link set eth0 up",
                       f"route add 10.10.0.0/16 via {ROUTER4}", f"route add fd10::/48 via {ROUTER6}")

    def _shared_segment(self):
        self.router.ip(
            f"link add {SHARED_PORT} address 02:00:00:ff:01:00 type veth peer name sw-lan netns {self.switch.name}",
            f"addr add {SHARED4}/24 dev {SHARED_PORT}",
            f"addr add {SHARED6}/64 dev {SHARED_PORT} nodad",
            f"addr add {GATEWAY6}/64 dev {SHARED_PORT} nodad", f"link set {SHARED_PORT} up")
        self.router_mac[SHARED_PORT] = "02:00:00:ff:01:00"
        lines = ["link set sw-lan master br-lan up"]
        for d in self.devices:
            if d.shared:
                lines += [f"link add sw-{d.n} type veth peer name eth0 address {d.mac} netns {d.ns.name}",
                          f"link set sw-{d.n} master br-lan up"]
        self.switch.ip(*lines)

    def _ports(self, large):
        lines = []
        for d in self.devices:
            if d.shared:
                continue
            mac = f"02:00:01:00:{d.n >> 8:02x}:{d.n & 255:02x}"
            self.router_mac[d.port] = mac
            lines += [f"link add {d.port} address {mac} type veth peer name eth0 address {d.mac} netns {d.ns.name}",
                      f"link set {d.port} up",
                      f"addr add {GATEWAY6}/64 dev {d.port} nodad",
                      f"route add {d.ip4}/32 dev {d.port}", f"route add {d.ip6}/128 dev {d.port}"]
            if large:
                lines += [f"neigh add {d.ip4} lladdr {d.mac} dev {d.port} nud permanent",
                          f"neigh add {d.ip6} lladdr {d.mac} dev {d.port} nud permanent"]
        self.router.ip(*lines)

    def _device(self, d, large):
        d.ns.sysctl(net__ipv6__conf__eth0__accept_dad=0, net__ipv6__conf__eth0__accept_ra=0,
                    net__ipv4__conf__all__rp_filter=0)
        length4, length6, gateway = ("24", "64", SHARED4) if d.shared else ("32", "128", GATEWAY4)
        lines = ["link set lo up", f"addr add {d.ip4}/{length4} dev eth0",
                 f"addr add {d.ip6}/{length6} dev eth0 nodad", "link set eth0 up",
                 f"route add default via {gateway} dev eth0 onlink",
                 f"route add ::/0 via {GATEWAY6} dev eth0"]
        if large:
            mac = self.router_mac[d.port]
            lines += [f"neigh add {gateway} lladdr {mac} dev eth0 nud permanent",
                      f"neigh add {GATEWAY6} lladdr {mac} dev eth0 nud permanent"]
        d.ns.ip(*lines)

    # ---- taking away -------------------------------------------------------

    def down(self):
        for ns in self.namespaces():
            ns.close()
        take_away(self.prefix)

    def __enter__(self):
        try:
            return self.up()
        except BaseException:
            self.down()
            raise

    def __exit__(self, *exc):
        self.down()


def load(prefix):
    """The standing lab of that name, as `up` left it."""
    with open(os.path.join(STATE, prefix, "lab.json"), encoding="ascii") as f:
        state = json.load(f)
    lab = Lab(prefix, kinds=[])
    lab.devices = [Device(prefix, n, kind, shared) for kind, n, shared in state["kinds"]]
    for d in lab.devices:
        lab.router_mac[d.port] = ("02:00:00:ff:01:00" if d.shared
                                  else f"02:00:01:00:{d.n >> 8:02x}:{d.n & 255:02x}")
    return lab


def take_away(prefix):
    """Remove a lab by its own list of names, whoever built it."""
    where = os.path.join(STATE, prefix)
    try:
        with open(os.path.join(where, "lab.json"), encoding="ascii") as f:
            state = json.load(f)
    except (FileNotFoundError, ValueError):
        state = {"namespaces": []}
    names = [n for n in state["namespaces"] if n.startswith(prefix + "-")]
    netns.remove(names)
    shutil.rmtree(where, ignore_errors=True)


def standing():
    try:
        return sorted(os.listdir(STATE))
    except FileNotFoundError:
        return []


def sweep():
    """Take away labs whose owner died without doing so."""
    for prefix in standing():
        try:
            with open(os.path.join(STATE, prefix, "lab.json"), encoding="ascii") as f:
                state = json.load(f)
        except (FileNotFoundError, ValueError):
            continue
        if state["owner"] and start_time(state["owner"]) != state["started"]:
            take_away(prefix)


def start_time(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return int(f.read().rsplit(")", 1)[1].split()[19])
    except (FileNotFoundError, ProcessLookupError):
        return -1


def wait_for(what, condition, timeout=10.0, every=0.02):
    """Wait until condition() is true and return its value; otherwise say what did not come."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise netns.LabError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(every)


def exists_any(prefix):
    """Is anything of that lab left?"""
    try:
        names = os.listdir(netns.RUN_NETNS)
    except FileNotFoundError:
        names = []
    return prefix in standing() or any(name.startswith(prefix + "-") for name in names)
