# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, shown on real packets and checked step by step."""
import json
import time

from . import packets
from .netns import LabError
from .topology import STANDING, composition, wait_for
from .traffic import Flow, Steady, TcpFlow, tcp_open, tcp_works, udp_answers

KINDS = composition(12)
PORT_OF = {"sensor": 8883, "camera": 554, "gateway": 443}
PERIOD = 0.005      # every open connection says something this often


class Story:
    """Tells each step and remembers whether it came true."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.steps = []
        self.began = time.monotonic()

    def tell(self, text=""):
        if not self.quiet:
            print(text, flush=True)

    def step(self, what, ok, detail=""):
        self.steps.append({"step": what, "ok": bool(ok), "detail": detail})
        self.tell(f"  [{'ok' if ok else 'NO'}] {what}" + (f": {detail}" if detail else ""))


class Demo:
    def __init__(self, world, story):
        self.world = world
        self.lab = world.lab
        self.story = story
        self.allowed = 0
        self.refused = 0
        self.figures = {}

    def run(self):
        story = self.story
        story.tell("A router with cordon, twelve devices of three classes, each on its own router port;")
        story.tell("beyond the router: two servers, a web server with the CA's CRL, a remediation host, "
                   "a management host.\n")
        self.apply()
        self.allowed_passes()
        with Steady(self.open_connections(), PERIOD) as steady:
            self.outside_the_class()
            self.false_identities(steady)
            self.revoke(steady)
            self.brake(steady)
            self.remediation()
            self.management()
        self.evidence()
        self.table()
        return all(step["ok"] for step in story.steps)

    # ---- the steps -----------------------------------------------------------

    def apply(self):
        self.story.tell("1. The policy: classes and devices become kernel rules.")
        self.world.site.appliance.append('brake = { devices = 5; within = "1h"; };')
        self.world.site.write()
        applied = self.world.cordon.apply()
        self.story.step("policy applied", self.world.cordon.table() is not None,
                        f"{applied.get('devices')} devices, {applied.get('classes')} classes")

    def allowed_passes(self):
        lab = self.lab
        self.story.tell("\n2. What a class allows, passes.")
        sensor = lab.of_kind("sensor")[0]
        for address in (lab.server.ip4, lab.server.ip6):
            ok = tcp_works(sensor, address, 8883, tag="allowed")
            self.allowed += ok
            self.story.step(f"{sensor.name} to {address} tcp 8883", ok, "answered" if ok else "no answer")
        gateway = lab.of_kind("gateway")[0]
        ok = tcp_works(sensor, gateway.ip4, 1883, tag="allowed")
        self.allowed += ok
        self.story.step(f"{sensor.name} to {gateway.name} tcp 1883 (class:gateway)", ok)

    def open_connections(self):
        self.story.tell("\n3. All twelve open a connection to the server and keep it talking.")
        flows = []
        for i, d in enumerate(self.lab.devices):
            address = self.lab.server.ip6 if i % 2 else self.lab.server.ip4
            flows.append(TcpFlow(d, address, PORT_OF[d.kind], d.name))
        self.allowed += len(flows)
        self.story.step("twelve connections stand", len(flows) == 12)
        return flows

    def nothing_arrives(self, what, where, tag, send):
        """Run send(); the step holds if no frame with the tag reaches `where`."""
        wire = packets.Wire(where.ns, receive=True)
        try:
            sent = send()
            time.sleep(0.15)
            got = wire.count(tag)
        finally:
            wire.close()
        self.refused += sent
        self.story.step(what, got == 0 and sent > 0, f"{sent} packets sent, {got} arrived")

    def outside_the_class(self):
        lab = self.lab
        self.story.tell("\n4. What a class does not name, is refused.")
        sensor, camera = lab.of_kind("sensor")[0], lab.of_kind("camera")[0]

        def udp_to(host, address, port):
            def send():
                udp_answers(host, address, port, n=4, tag="outside", patience=0.1)
                return 4
            return send
        self.nothing_arrives(f"{sensor.name} to another server", lab.other, b"outside",
                             udp_to(sensor, lab.other.ip4, 5000))
        self.nothing_arrives(f"{camera.name} to the right server, wrong port, IPv6", lab.server, b"outside",
                             udp_to(camera, lab.server.ip6, 123))
        refused = tcp_open(sensor, lab.server.ip4, 22, timeout=0.4) is None
        self.refused += 1
        self.story.step(f"{sensor.name} to {lab.server.ip4} tcp 22", refused, "no connection")

    def lie(self, device, mac, src, tag):
        """Frames from a device's own wire that claim to be somebody else."""
        lab = self.lab
        dst = lab.server.ip6 if ":" in src else lab.server.ip4

        def send():
            wire = packets.Wire(device.ns)
            wire.send(*(packets.udp_frame(mac, lab.router_mac[device.port], src, dst, 40000, 5000,
                                          tag + b"/%d " % i) for i in range(4)))
            wire.close()
            return 4
        return send

    def intrude(self, device, victim, flow):
        """TCP segments of the victim's open connection, from another device's wire."""
        (src, sport, *_), (dst, dport, *_) = flow.sock.getsockname(), flow.sock.getpeername()

        def send():
            wire = packets.Wire(device.ns)
            wire.send(*(packets.tcp_frame(victim.mac, self.lab.router_mac[device.port], src, dst, sport, dport,
                                          flags=flags, payload=b"intruder/1 \n")
                        for flags in (packets.ACK, packets.PSH | packets.ACK)))
            wire.close()
            return 2
        return send

    def false_identities(self, steady):
        lab = self.lab
        self.story.tell("\n5. A device is its MAC, its address and its router port.")
        one, two, three, sibling = lab.of_kind("sensor")[1:5]
        for src, family in (("10.10.99.99", "IPv4"), ("fd10::9999", "IPv6")):
            self.nothing_arrives(f"{one.name} moves to {src}", lab.server, b"moved",
                                 self.lie(one, one.mac, src, b"moved"))
        self.nothing_arrives(f"{two.name} takes an unknown MAC", lab.server, b"unknown",
                             self.lie(two, "02:00:00:de:ad:01", two.ip4, b"unknown"))
        self.nothing_arrives(f"{three.name} takes {sibling.name}'s MAC and address at its own port",
                             lab.server, b"sibling", self.lie(three, sibling.mac, sibling.ip4, b"sibling"))
        flow = next(f for f in steady.flows if f.tag == sibling.name)
        self.nothing_arrives(f"{three.name} sends into {sibling.name}'s open connection, as {sibling.name}",
                             lab.server, b"intruder", self.intrude(three, sibling, flow))
        self.story.tell("       (on a segment shared by several devices a sibling's MAC and address can be taken;\n"
                        "        there only the port tells them apart: give each device its own)")

    def revoke(self, steady):
        self.story.tell("\n6. The CA revokes a certificate.")
        world, victim = self.world, self.lab.of_kind("sensor")[6]
        flow = next(f for f in steady.flows if f.tag == victim.name)
        others = [f for f in steady.flows if f is not flow]
        wait_for("the open connections to talk", lambda: all(f.answered for f in steady.flows))
        before = {f.tag: len(f.answered) for f in others}
        world.ca.revoke(victim.serial)
        world.publish()
        published = time.monotonic()
        world.cordon.ctl("crl", "refresh")
        wait_for(f"{victim.name} to be quarantined", lambda: world.cordon.device(victim.name).get(
            "station") == "quarantined", timeout=15, every=0.05)
        time.sleep(0.5)
        last = world.reflector.got(victim.name).last    # may lie just before: it sends every 5 ms
        silent = time.monotonic() - last
        self.figures["seconds_from_crl_to_last_packet"] = round(max(0.0, last - published), 4)
        self.story.step(f"{victim.name}'s open connection stops", silent > 0.4,
                        f"last packet {1000 * max(0, last - published):.0f} ms after the CRL was published")
        time.sleep(0.3)
        going = [f.tag for f in others if len(f.answered) > before[f.tag] + 10]
        self.story.step("the other eleven keep going", len(going) == 11,
                        f"{len(going)} of 11 still answered, "
                        f"{sum(f.unsent for f in others)} packets lost")
        self.victim = victim

    def brake(self, steady):
        self.story.tell("\n7. The CA errs, and lists all the others: more than the brake allows.")
        world, cordon = self.world, self.world.cordon
        others = [f for f in steady.flows if f.tag != self.victim.name]
        serials = [d.serial for d in self.lab.devices if d is not self.victim]
        world.ca.revoke(*serials)
        world.publish()
        cordon.ctl("crl", "refresh")
        wait_for("all of them to wait", lambda: cordon.status()["pending"] == len(serials), timeout=15, every=0.05)
        before = {f.tag: len(f.answered) for f in others}
        time.sleep(0.5)
        going = [f.tag for f in others if len(f.answered) > before[f.tag] + 10]
        self.figures["pending"] = len(serials)
        self.story.step("they wait for a person, and keep going", len(going) == 11,
                        f"{len(going)} of 11 still answered; cordonctl pending list shows them")
        world.ca.unrevoke(*serials)
        world.publish()
        cordon.ctl("pending", "dismiss", "--all", "--reason", "the CA took it back")
        self.story.step("an operator dismisses it", cordon.status()["pending"] == 0)

    def remediation(self):
        lab, victim = self.lab, self.victim
        self.story.tell("\n8. A quarantined device reaches the remediation host and nothing else.")
        self.story.step(f"{victim.name} to the remediation host", tcp_works(victim, lab.remedy.ip4, 443))
        refused = tcp_open(victim, lab.server.ip4, 8883, timeout=0.4) is None
        self.refused += 1
        self.story.step(f"{victim.name} to its server", refused, "no new connection")

    def management(self):
        lab = self.lab
        self.story.tell("\n9. The management host is no device; devices are closed to it as well.")
        done = lab.mgmt.ns.run(["ping", "-q", "-c2", "-i0.1", "-w1", "192.0.2.1"], check=False)
        self.story.step("it reaches the router", done.returncode == 0)
        camera = lab.of_kind("camera")[0]

        def send():
            s = Flow(lab.mgmt, camera.ip4, 5000, "inbound")
            for _ in range(4):
                s.send()
            s.sock.close()
            return 4
        self.nothing_arrives(f"it does not reach {camera.name}", camera, b"inbound", send)

    def evidence(self):
        self.story.tell("\n10. Who tried what: cordonctl attempt list")
        cordon = self.world.cordon
        wanted = {"not-allowed", "wrong-address", "wrong-mac", "wrong-port", "quarantined"}

        def recorded():
            rows = cordon.attempts()
            return rows if wanted <= {row.get("reason") for row in rows} else None
        try:
            rows = wait_for("all of it on record", recorded, timeout=15, every=0.2)
        except LabError:
            rows = cordon.attempts()
        self.story.tell("\n" + cordon.ctl("attempt", "list"))
        have = {row.get("reason") for row in rows}
        missing = sorted(wanted - have)
        self.story.step("each kind of refusal is on record", not missing,
                        "missing: " + ", ".join(missing) if missing else f"{len(rows)} attempts")
        self.figures["recorded"] = len(rows)

    def table(self):
        self.figures.update(allowed=self.allowed, refused=self.refused, quarantined=1,
                            seconds=round(time.monotonic() - self.story.began, 1))
        f = self.figures
        self.story.tell("\n  allowed connections             "
                        f"{f['allowed']:>8}\n  refused packets and connections {f['refused']:>8}\n"
                        f"  quarantined devices             {f['quarantined']:>8}\n"
                        f"  held back by the brake          {f['pending']:>8}\n"
                        f"  recorded attempts               {f['recorded']:>8}\n"
                        "  published CRL to last packet    "
                        f"{1000 * f['seconds_from_crl_to_last_packet']:>5.0f} ms\n")


def run(world, as_json=False):
    """Build the lab, show everything, print the result. Exit code 0 if all of it happened."""
    story = Story(quiet=as_json)
    ok, error, demo = False, None, None
    try:
        world.lab.up(owner=0 if world.lab.prefix == STANDING else None)
        world.servers().authority().configure()
        world.cordon.start()
        demo = Demo(world, story)
        ok = demo.run()
    except (LabError, KeyError) as e:
        error = str(e)
        story.tell(f"\n  [NO] {error}")
    if as_json:
        print(json.dumps({"ok": ok, "error": error, "steps": story.steps,
                          "figures": demo.figures if demo else {}}), flush=True)
    else:
        story.tell("All of it happened." if ok else "Not all of it happened.")
    return 0 if ok else 1
