# SPDX-License-Identifier: GPL-2.0-or-later
"""A router with many authorities at once, one or more for each case: what a CRL says goes in as
octets, and whether a device still gets through is answered by packets.

A test module declares its authorities when it is read, so that one policy holds all of them:

    CASES = Cases()
    A = CASES.authority("listed", devices=2)

    def test_listed(w):
        w.publish(A, A.ca.crl(entry(A.serial(0))))
        w.expect(A, cut=[0], free=[1])
"""
import contextlib
import itertools
import json
import os
import struct
import subprocess
import threading

from lab import packets
from lab.cordon import PROGRAMS, Stage
from lab.crl import CA, Key, pem
from lab.site import Site
from lab.topology import wait_for
from world import TestWorld, tag_of

PORT = 5000
_numbers = itertools.count(1)


class Device:
    def __init__(self, name, authority, serial, **words):
        self.name = name
        self.authority = authority
        self.serial = serial
        n = next(_numbers)
        self.mac = f"02:ca:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}:01"
        self.certificates = words.pop("certificates", None)     # DER, oldest first; None: the serial alone
        self.words = words.pop("text", "")                      # its other keys, as in the configuration
        self.class_name = words.pop("class_name", "thing")
        assert not words, words


class Authority:
    """One authority of the policy, with its CA and its devices."""

    def __init__(self, name, ca=None, devices=1, serials=None, certificates=(), options="", crl=None, files=None,
                 known=False, cdp=()):
        self.name = name
        self.ca = ca or CA(name)
        self.certificates = [self.ca, *certificates]    # CAs whose certificates are its own
        self.options = options              # its other keys, as in the configuration; {folder} is the drop folder
        self.crl = crl                      # the value of crl, or None: one file
        self.files = files or {}            # further files below pki/, name -> bytes
        self.known = known                  # devices have certificates, not serials alone
        self.cdp = cdp
        serials = serials or [0x1000 + i for i in range(devices)]
        self.devices = [self._device(i, serial) for i, serial in enumerate(serials)]

    def _device(self, i, serial):
        return Device(f"{self.name}-{i}", self, serial,
                      certificates=[self.ca.issue(serial, cdp=self.cdp)] if self.known else None)

    def serial(self, i):
        return self.devices[i].serial

    def add(self, **words):
        """One more device; certificates=[DER, ...] gives it those."""
        self.devices.append(Device(f"{self.name}-{len(self.devices)}", self,
                                   words.pop("serial", 0x1000 + len(self.devices)), **words))
        return self.devices[-1]


class CaseSite(Site):
    """Writes the authorities and devices of the cases."""

    cases = None
    drop = None

    def _authorities(self):
        blocks = [self._authority(a) for a in self.cases.authorities]
        return "authorities = (\n" + ",\n".join(blocks) + "\n);\n"

    def _authority(self, a):
        pki = os.path.join(self.folder, "pki")
        os.makedirs(pki, mode=0o755, exist_ok=True)
        names = []
        for i, ca in enumerate(a.certificates):
            names.append(f"pki/{a.name}-{i}.pem")
            self._put(names[-1], pem(ca.certificate, "CERTIFICATE").decode())
        for name, data in a.files.items():
            self._put(f"pki/{name}", data.decode())
        crl = a.crl if a.crl is not None else '"file://{folder}/{name}.crl"'
        value = _list(f'"{self.folder}/{n}"' for n in names)
        fill = {"folder": self.drop, "name": a.name, "pki": pki, "web": self.lab.web.ip4, "web6": self.lab.web.ip6,
                "other": self.lab.other.ip4}
        words = f"crl = ({_fill(crl, fill)});" if crl else ""
        return (f'  {{ name = "{a.name}"; certificate = {value};\n'
                f'    {words} refresh = "1h"; {_fill(a.options, fill)} }}')

    def _devices(self):
        blocks = [self._one(d) for a in self.cases.authorities for d in a.devices]
        return "devices = (\n" + ",\n".join(blocks) + "\n);\n"

    def _csv(self):
        """Devices with serials alone: for fleets."""
        rows = [f"{d.name},{d.class_name},{d.mac},,,{d.authority.name},{d.serial:x}"
                for a in self.cases.authorities for d in a.devices]
        return "name,class,mac,address,interface,authority,serial\n" + "\n".join(rows) + "\n"

    def _one(self, d):
        if d.certificates is None:
            certificate = f'{{ authority = "{d.authority.name}"; serial = "{d.serial:x}"; }}'
        else:
            paths = []
            for i, der in enumerate(d.certificates):
                self._put(f"pki/{d.name}.{i}.pem", pem(der, "CERTIFICATE").decode())
                paths.append(f'"{self.folder}/pki/{d.name}.{i}.pem"')
            certificate = _list(paths)
        return (f'  {{ name = "{d.name}"; class = "{d.class_name}"; mac = "{d.mac}"; {d.words}\n'
                f'    certificate = {certificate}; }}')


def _list(values):
    values = list(values)
    return values[0] if len(values) == 1 else "(" + ", ".join(values) + ")"


def _fill(text, values):
    for key, value in values.items():
        text = text.replace("{" + key + "}", str(value))
    return text


class WrappedStage(Stage):
    """The same programs, started by scripts in another folder."""

    def __init__(self, stage, folder):
        super().__init__(stage.folder)
        self._wrappers = folder

    def reachable_programs(self):
        return self._wrappers


class CaseWorld(TestWorld):
    """What a test says: publish, and who still gets through."""

    __test__ = False
    cases = None
    own_clock = False

    def authority(self):
        return self     # the cases have their own

    def configure(self):
        super().configure()
        if self.own_clock:
            self.clock = Clock(self.lab.dir, self.stage)
            self.cordon.stage = WrappedStage(self.stage, self.clock.folder)
        self.drop = os.path.join(self.lab.dir, "drop")
        os.makedirs(self.drop, mode=0o755, exist_ok=True)
        self.site.__class__ = CaseSite
        self.site.cases, self.site.drop = self.cases, self.drop
        self.site.classes = dict(self.cases.classes)
        self.site.appliance = list(self.cases.appliance)
        self.site.csv = self.cases.csv
        os.unlink(os.path.join(self.cordon.etc, "devices.d", "lab.conf"))      # of the lab's own device
        self.site.write()
        return self

    # ---- CRLs ----------------------------------------------------------------------

    def put(self, name, data):
        """A file of the drop folder, replaced whole; None takes it away."""
        path = os.path.join(self.drop, name)
        if data is None:
            os.unlink(path)
            return
        with open(path + ".new", "wb") as f:
            f.write(data)
        os.chmod(path + ".new", 0o644)
        os.rename(path + ".new", path)

    def refresh(self, authority):
        """Ask for its CRLs now; returns when each of its sources has been tried."""
        self.cordon.try_ctl("crl", "refresh", authority.name, "--wait")
        return self.sources(authority)

    def publish(self, authority, data, name=None):
        """Put it where the authority's source looks, and have it fetched. What became of the source."""
        self.put(name or f"{authority.name}.crl", data)
        return self.refresh(authority)[0]

    def sources(self, authority):
        done = self.cordon.try_ctl("crl", "list", "--json")
        got = json.loads(done.stdout)
        rows = got["sources"]
        return [row for row in rows if row["authority"] == authority.name]

    def authority_row(self, authority):
        """The authority as a whole: counts of what is known of its certificates."""
        got = json.loads(self.cordon.try_ctl("crl", "list", "--json").stdout)
        return next(row for row in got["authorities"] if row["authority"] == authority.name)

    # ---- packets ---------------------------------------------------------------------

    def through(self, *devices, expected=()):
        """Which of these devices get a datagram to the server: their names."""
        port = self.lab.devices[0]
        frames = {d.name: self.frame(port, self.lab.server, 4, packets.UDP,
                                     packets.udp(port.ip4, self.lab.server.ip4, 1024 + next(_numbers) % 60000, PORT,
                                                 tag_of(d.name)), mac=d.mac) for d in devices}
        return self.arrived(port, self.lab.server, frames, set(expected))

    def expect(self, authority, cut=(), free=()):
        """Devices by their place in the authority: no packet of those, a packet of these."""
        cut, free = ([authority.devices[i] for i in which] for which in (cut, free))
        names = {d.name for d in free}
        got = self.through(*cut, *free, expected=names)
        assert got == names, f"{authority.name}: through are {sorted(got)}, should be {sorted(names)}"

    @contextlib.contextmanager
    def knocking(self, device):
        """It sends a datagram every few milliseconds; afterwards, call what this gives for the number
        of those that arrived."""
        counted = []
        port, tag = self.lab.devices[0], tag_of("knock." + device.name)
        over = threading.Event()
        wire = packets.Wire(self.lab.server.ns, receive=True)

        def knock():
            sender = packets.Wire(port.ns)
            while not over.wait(0.002):
                sport = 1024 + next(_numbers) % 60000
                sender.send(self.frame(port, self.lab.server, 4, packets.UDP,
                                       packets.udp(port.ip4, self.lab.server.ip4, sport, PORT, tag), mac=device.mac))
            sender.close()
        thread = threading.Thread(target=knock, daemon=True)
        thread.start()
        try:
            yield lambda: counted[0]
        finally:
            over.set()
            thread.join(5)
            counted.append(wire.count(tag))
            wire.close()

    def wait_free(self, *devices, timeout=10):
        names = {d.name for d in devices}
        wait_for(f"{sorted(names)} to get through", lambda: self.through(*devices, expected=names) == names,
                 timeout, 0.1)

    def wait_cut(self, *devices, timeout=10):
        wait_for(f"{[d.name for d in devices]} to be cut", lambda: not self.through(*devices), timeout, 0.1)

    def shown(self, device):
        return self.cordon.device(device.name)

    def check(self, device):
        """What is known of its certificates: clean, stale, unchecked, ..."""
        return self.shown(device)["check"]

    def wait_check(self, device, *words):
        """It is told now and then, not at each CRL."""
        return wait_for(f"{device.name} to be {' or '.join(words)}", lambda: self.check(device) in words, 6, 0.2)


class Clock:
    """A wall clock of cordon's own, from programs that are wrapped; see tests/tools/clock.c."""

    def __init__(self, folder, stage):
        self.folder = os.path.join(folder, "clock")
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        library, self.path = (os.path.join(self.folder, name) for name in ("clock.so", "setting"))
        source = os.path.join(os.path.dirname(__file__), "..", "tools", "clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.set(0)
        real = stage.reachable_programs()
        for name in PROGRAMS:
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="ascii") as f:
                f.write(f'#!/bin/sh\nLD_PRELOAD={library} CORDON_TEST_CLOCK={self.path} exec {real}/{name} "$@"\n')
            os.chmod(path, 0o755)

    def set(self, offset, synchronized=True):
        """offset: seconds that it is ahead of the machine's; from now on."""
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(fd, struct.pack("=qq", int(offset), int(synchronized)), 0)    # in place: it is mapped
        os.close(fd)


class Cases:
    """What a module declares before its world is made."""

    def __init__(self, appliance=('brake: { devices = 100000; within = "1h"; };',), csv=False):
        self.authorities = []
        self.appliance = appliance
        self.csv = csv
        self.classes = {"thing": [f'{{ to = "192.0.2.2"; udp = {PORT}; }}']}

    def authority(self, name, **how):
        self.authorities.append(Authority(name, **how))
        return self.authorities[-1]


def make_case_world(make_world, cases, own_clock=False, **how):
    """One device's port, from which all devices of all cases send."""
    return make_world(kinds=[("sensor", 1)], **how,
                      kind=type("World", (CaseWorld,), {"cases": cases, "own_clock": own_clock}))


__all__ = ["Cases", "CaseWorld", "make_case_world", "Authority", "Device", "CA", "Key"]
