# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration that the router of a lab runs: classes, devices, authority."""
import os

CRL_NAME = "lab.crl"

# What each kind of device may do. Rules in the words of the configuration.
CLASSES = {
    "sensor": ['{ to = ("192.0.2.2", "fd20::2"); tcp = 8883; udp = (5000, "5004-5010"); }',
               '{ to = "192.0.2.2"; icmp = "echo-request"; }',
               '{ to = "fd20::2"; icmpv6 = "echo-request"; }',
               '{ to = "class:gateway"; tcp = 1883; udp = 1883; }'],
    "camera": ['{ to = ("192.0.2.2", "fd20::2"); tcp = 554; udp = "5000-5001"; }'],
    "gateway": ['{ to = ("192.0.2.0/28", "fd20::/124"); tcp = 443; udp = (123, 5000); }'],
}

QUARANTINE = ['{ to = ("192.0.2.5", "fd20::5"); tcp = 443; udp = 443; }']
SERVICES = ["{ udp = 67; }", '{ icmp = "echo-request"; }', '{ icmpv6 = "echo-request"; }']


def as_list(rules):
    return ",\n".join("      " + rule for rule in rules)


class Site:
    """Writes a configuration folder. Change a field, write again, apply."""

    def __init__(self, lab, folder, classes=None):
        self.lab = lab
        self.folder = folder
        self.classes = {name: list(rules) for name, rules in (classes or CLASSES).items()}
        self.modes = {}             # class name -> "audit"
        self.words = {}             # class name -> its other keys, as in the configuration
        self.further = ""           # further lists: services, groups, schedules
        self.quarantine = list(QUARANTINE)
        self.services = list(SERVICES)
        self.appliance = []         # further lines of the appliance block
        self.authority = None       # (name, path of the certificate, [urls])
        self.refresh = "1h"
        self.authority_words = 'when_stale = "keep";'   # its other keys, as in the configuration
        self.interfaces = lab.ports()
        self.devices = list(lab.devices)
        self.without_port = set()   # names of devices that may be at any port
        self.without_address = set()
        self.identities = {}        # device name -> what it is known by, as in the configuration
        self.labels = {}            # device name -> [labels]
        self.csv = len(self.devices) > 100

    def write(self):
        for sub in ("", "classes.d", "devices.d", "pki"):
            os.makedirs(os.path.join(self.folder, sub), mode=0o755, exist_ok=True)
        self._put("cordon.conf", self._appliance() + self._authorities() + self.further)
        for name, rules in self.classes.items():
            mode = self.modes.get(name, "enforce")
            words = self.words.get(name, "")
            allow = '"nothing"' if not rules else "(\n" + as_list(rules) + " )"
            self._put(f"classes.d/{name}.conf",
                      f'classes = (\n  {{ name = "{name}"; mode = "{mode}"; {words}\n    allow = {allow}; }}\n);\n')
        for name in os.listdir(os.path.join(self.folder, "classes.d")):
            if name[:-len(".conf")] not in self.classes:
                os.unlink(os.path.join(self.folder, "classes.d", name))
        if self.csv:
            self._put("devices.d/lab.csv", self._csv())
        else:
            self._put("devices.d/lab.conf", self._devices())
        return self

    def _put(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o644)

    def _appliance(self):
        names = ", ".join(f'"{name}"' for name in self.interfaces)
        extra = "".join(f"  {line}\n" for line in self.appliance)
        return (f"appliance: {{\n  device_interfaces = [ {names} ];\n"
                f"  services = (\n{as_list(self.services)} );\n{extra}"
                f"  quarantine: {{ allow = (\n{as_list(self.quarantine)} ); }};\n}};\n")

    def _authorities(self):
        if self.authority is None:
            return ""
        name, certificate, urls = self.authority
        crl = ", ".join(f'"{url}"' for url in urls)
        return (f'authorities = (\n  {{ name = "{name}"; certificate = "{certificate}";\n'
                f'    crl = [ {crl} ]; refresh = "{self.refresh}"; {self.authority_words} }}\n);\n')

    def _identity(self, d):
        """Addresses and port of a device, as far as they are declared."""
        addresses = [] if d.name in self.without_address else [d.ip4, d.ip6]
        port = None if d.shared or d.name in self.without_port else d.port
        return addresses, port

    def _devices(self):
        blocks = []
        for d in self.devices:
            line = f'  {{ name = "{d.name}"; class = "{d.kind}"; {self._known_by(d)}'
            if d.name in self.labels:
                line += " labels = [ " + ", ".join(f'"{label}"' for label in self.labels[d.name]) + " ];"
            if self.authority and d.serial:
                line += f'\n    certificate = {{ authority = "{self.authority[0]}"; serial = "{d.serial}"; }};'
            blocks.append(line + " }")
        return "devices = (\n" + ",\n".join(blocks) + "\n);\n"

    def _known_by(self, d):
        if d.name in self.identities:
            return self.identities[d.name]
        addresses, port = self._identity(d)
        text = f'mac = "{d.mac}";'
        if addresses:
            text += " address = [ " + ", ".join(f'"{a}"' for a in addresses) + " ];"
        return text + (f'\n    interface = "{port}";' if port else "")

    def _csv(self):
        lines = ["name,class,mac,address,interface,authority,serial"]
        for d in self.devices:
            addresses, port = self._identity(d)
            authority = self.authority[0] if self.authority else ""
            lines.append(",".join([d.name, d.kind, d.mac, " ".join(addresses), port or "",
                                   authority, d.serial if authority else ""]))
        return "\n".join(lines) + "\n"
