# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab with cordon in it and servers that answer: what demo and `lab up` share."""
import os

from .authority import Authority
from .cordon import Cordon
from .site import CRL_NAME, Site
from .traffic import Reflector
from .web import Web

AUTHORITY = "lab-ca"
SERVER_TCP = (443, 554, 8883, 1883, 22)
SERVER_UDP = (123, 5000, 5001, 5004)
REMEDY_PORTS = (443,)


class World:
    """Lab, servers, CA, web server, configuration and cordon, in that order."""

    def __init__(self, lab, stage, absent=(), classes=None):
        self.lab = lab
        self.stage = stage
        self.reflector = self.web = self.cordon = self.ca = self.site = None
        self._absent = absent
        self._classes = classes

    def servers(self, answering=True):
        """Who answers: the outside hosts, and the gateways for their sensors."""
        lab = self.lab
        self.web = Web(lab.web, os.path.join(lab.dir, "www"))
        if not answering:
            return self
        self.reflector = Reflector()
        for host in (lab.server, lab.other):
            self.reflector.tcp(host, *SERVER_TCP)
            self.reflector.udp(host, *SERVER_UDP)
        self.reflector.tcp(lab.remedy, *REMEDY_PORTS)
        self.reflector.udp(lab.remedy, *REMEDY_PORTS)
        for device in lab.of_kind("gateway"):
            self.reflector.tcp(device, 1883)
            self.reflector.udp(device, 1883)
        return self

    def authority(self):
        self.ca = Authority(os.path.join(self.lab.dir, "ca"))
        self.publish()
        return self

    def publish(self, **bend):
        self.web.publish(CRL_NAME, self.ca.crl(**bend))

    def configure(self):
        self.cordon = Cordon(self.lab, self.stage, self._absent)
        self.site = Site(self.lab, self.cordon.etc, self._classes)
        if self.ca is not None:
            path = os.path.join(self.cordon.etc, "pki", "lab-ca.pem")
            os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
            with open(path, "wb") as f:
                f.write(self.ca.pem())
            self.site.authority = (AUTHORITY, path, [f"http://{self.lab.web.ip4}/{CRL_NAME}"])
        self.site.write()
        return self

    def start(self):
        self.cordon.start()
        self.cordon.apply()
        return self

    def close(self):
        for part, method in ((self.cordon, "stop"), (self.web, "close"), (self.reflector, "close")):
            if part is not None:
                getattr(part, method)()
