# SPDX-License-Identifier: GPL-2.0-or-later
"""A World with the words that tests use: who got through, what is on record."""
import contextlib
import copy
import itertools
import time

from lab import packets
from lab.netns import LabError
from lab.standing import World
from lab.topology import wait_for
from lab.traffic import Flow, Steady, udp_answers

CHANGEABLE = ("classes", "modes", "words", "further", "identities", "labels", "devices", "services", "appliance",
              "authority_words")
SETTLE = 0.15       # seconds in which a forwarded packet arrives, many times over


OUTSIDE_MAC = "02:00:00:ff:00:01"       # the router's, where no devices are
_sport = itertools.count(20000)


def tag_of(name):
    return f"<{name}>".encode()


def payload(sender, receiver, family, proto, at, tag, src=None, dst=None, sport=None, **_):
    """What a packet of that protocol carries, to a port or of a type; the tag at its end."""
    src, dst = src or sender.address(family), dst or receiver.address(family)
    sport = sport or next(_sport)
    if proto == packets.TCP:
        return packets.tcp(src, dst, sport, at, payload=tag)
    if proto == packets.UDP:
        return packets.udp(src, dst, sport, at, tag)
    if proto in (packets.ICMP, packets.ICMP6):
        return packets.icmp(src, dst, kind=at, ident=sport, payload=tag)
    if proto == packets.SCTP:
        return packets.sctp(sport, at, tag)
    if proto == packets.GRE:
        return packets.gre(tag)
    return b"\0" * 8 + tag


class TestWorld(World):
    """Delivered and refused, in packets."""

    __test__ = False    # not a test class, whatever its name

    # ---- packets ---------------------------------------------------------------

    def router_mac(self, host):
        return self.lab.router_mac[host.port] if hasattr(host, "port") else OUTSIDE_MAC

    @contextlib.contextmanager
    def arrivals(self, host, tag):
        """`with w.arrivals(server, b"x") as got: ...`, then got() frames came in."""
        wire = packets.Wire(host.ns, receive=True)
        try:
            def got(expected=None):
                deadline = time.monotonic() + (2.0 if expected else SETTLE)
                while time.monotonic() < deadline and not (expected and wire.count(tag) >= expected):
                    time.sleep(0.01)
                return wire.count(tag)
            yield got
        finally:
            wire.close()

    def send_frames(self, device, *frames):
        """Frames as they are, from a device's wire."""
        wire = packets.Wire(device.ns)
        try:
            wire.send(*frames)
        finally:
            wire.close()

    def forged(self, device, dst, mac=None, src=None, port=5000, tag=b"forged", n=4, sport=40000):
        """UDP frames with another MAC or source address; the device's own where not named."""
        src = src or device.address(6 if ":" in dst else 4)
        return [packets.udp_frame(mac or device.mac, self.router_mac(device), src, dst, sport, port,
                                  tag + b"/%d " % i) for i in range(n)]

    def frame(self, sender, receiver, family, proto, payload, mac=None, src=None, dst=None):
        """A frame with that payload, from one to the other; who it claims to be can be said."""
        return packets.frame(mac or sender.mac, self.router_mac(sender), src or sender.address(family),
                             dst or receiver.address(family), proto, payload)

    def arrived(self, sender, receiver, frames, expected):
        """frames: by a name, which is the tag inside. The names that came out at the receiver's
        wire; what is expected is waited for, and then a moment for what is not."""
        wire = packets.Wire(receiver.ns, receive=True)
        try:
            self.send_frames(sender, *frames.values())
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline and not all(wire.count(tag_of(name)) for name in expected):
                time.sleep(0.005)
            time.sleep(SETTLE)
            return {name for name in frames if wire.count(tag_of(name))}
        finally:
            wire.close()

    def probe(self, sender, receiver, family, probes, **claims):
        """probes: name -> (protocol, port or ICMP type, expected). Names of those that went the
        other way than expected: empty when all is well."""
        frames = {name: self.frame(sender, receiver, family, proto,
                                   payload(sender, receiver, family, proto, at, tag_of(name), **claims), **claims)
                  for name, (proto, at, _) in probes.items()}
        expected = {name for name, (_, _, passes) in probes.items() if passes}
        return self.arrived(sender, receiver, frames, expected) ^ expected

    def delivered(self, device, host, family, port=5000, n=4, tag="try", **kw):
        """How many of n datagrams come back."""
        return udp_answers(device, host.address(family), port, n=n, tag=tag, **kw)

    def refused(self, device, host, family, port, n=3, tag="refused"):
        """True when none of n datagrams reaches the host."""
        with self.arrivals(host, tag.encode()) as got:
            udp_answers(device, host.address(family), port, n=n, tag=tag, patience=SETTLE)
            return got() == 0

    def flow(self, device, host, family, port=5000, tag=None):
        return Flow(device, host.address(family), port, tag or f"{device.name}.{family}")

    def steady(self, *flows, period=0.01):
        return Steady(flows, period)

    # ---- cordon ----------------------------------------------------------------

    def apply(self):
        self.site.write()
        return self.cordon.apply()

    @contextlib.contextmanager
    def changed(self):
        """Change self.site inside; afterwards the old configuration is applied again."""
        keep = {key: copy.copy(getattr(self.site, key)) for key in CHANGEABLE}
        try:
            yield self.site
        finally:
            for key, value in keep.items():
                setattr(self.site, key, value)
            self.apply()

    def station(self, device):
        return self.cordon.device(device.name).get("station")

    def wait_station(self, device, station, timeout=15):
        return wait_for(f"{device.name} to be {station}", lambda: self.station(device) == station,
                        timeout, 0.05)

    def revoke(self, *devices):
        """The CA revokes and publishes; cordon is told to fetch. Returns when it is in force."""
        self.ca.revoke(*(d.serial for d in devices))
        self.publish()
        self.cordon.ctl("crl", "refresh")
        for device in devices:
            self.wait_station(device, "quarantined")

    def quarantine(self, device, why="test"):
        self.cordon.ctl("device", "quarantine", device.name, "--reason", why)

    def release(self, device):
        self.cordon.ctl("device", "release", device.name, "--reason", "over")

    # ---- evidence --------------------------------------------------------------

    def attempts(self, **wanted):
        """Rows whose fields have these values; the evidence is brought up to date by asking."""
        return [row for row in self.cordon.attempts()
                if all(str(row.get(key)) == str(value) for key, value in wanted.items())]

    def status(self):
        return self.cordon.status()

    def wait_attempts(self, n=1, timeout=10, **wanted):
        try:
            return wait_for(f"{n} attempts with {wanted}",
                            lambda: (lambda rows: rows if len(rows) >= n else None)(self.attempts(**wanted)),
                            timeout, 0.1)
        except LabError as e:
            raise AssertionError(f"{e}; on record: {self.cordon.attempts()}") from None
