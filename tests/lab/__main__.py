# SPDX-License-Identifier: GPL-2.0-or-later
"""python3 -m lab: the commands behind `quickstart demo` and `quickstart lab`."""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

from . import demo, netns, topology
from .authority import Authority
from .cordon import Stage
from .netns import LabError
from .site import CRL_NAME
from .standing import World
from .topology import STANDING
from .web import publish


def stage():
    build = os.environ.get("CORDON_BUILD") or os.path.join(os.path.dirname(__file__), "../../build")
    return Stage(os.path.join(build, "stage"))


def cmd_demo(args):
    if not args.keep:
        lab = topology.Lab(kinds=demo.KINDS)
        world = World(lab, stage())
        try:
            return demo.run(world, args.json)
        finally:
            world.close()
            lab.down()
            world.stage.close()

    def show(world):
        return demo.run(world, args.json)
    code = leave_standing(demo.KINDS, show)
    print(HOW_TO_ENTER.format(devices=12), file=sys.stderr if args.json else sys.stdout)
    return code


HOW_TO_ENTER = """The lab stands: {devices} devices. Enter it with
  ./quickstart lab enter router          cordonctl status, cordonctl device list
  ./quickstart lab enter sensor-0001     e.g. ping 192.0.2.2
and take it away with ./quickstart lab down. doc/lab.md names the rest."""


def cmd_up(args):
    if not 2 < args.devices <= 4000:
        raise LabError("--devices takes 3 to 4000")

    def build(world):
        world.lab.up(owner=0)
        world.servers().authority().configure().start()
        return 0
    code = leave_standing(topology.composition(args.devices), build)
    print(HOW_TO_ENTER.format(devices=args.devices))
    return code


def leave_standing(kinds, build):
    """Build in a process of its own, which then stays to keep servers and cordon.
    Returns what build() returned; raises what it raised."""
    if STANDING in topology.standing():
        raise LabError("a lab is standing already; quickstart lab down takes it away")
    sys.stdout.flush()
    result_r, result_w = os.pipe()
    if os.fork() == 0:
        os.close(result_r)
        os._exit(_keeper(kinds, build, result_w))
    os.close(result_w)
    with os.fdopen(result_r) as f:
        answer = f.read()
    code, _, error = answer.partition(" ")
    if error or not code:
        raise LabError(error or "the lab's keeper ended early")
    return int(code)


def _keeper(kinds, build, result_w):
    os.setsid()
    lab = topology.Lab(STANDING, kinds=kinds)
    world = World(lab, stage())
    try:
        signal.signal(signal.SIGTERM, lambda *a: sys.exit(0))
        code = build(world)
        _note_keeper(lab, world)
        sys.stdout.flush()
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        os.write(result_w, str(code).encode())
        os.close(result_w)
        result_w = None
        while True:
            signal.pause()
    except SystemExit:
        pass
    except BaseException as e:      # the parent tells the user
        if result_w is not None:
            os.write(result_w, f"1 {e or repr(e)}".encode())
    finally:
        world.close()
        lab.down()
        world.stage.close()
    return 0


def _note_keeper(lab, world):
    """What `enter` and `down` need to know."""
    with open(os.path.join(lab.dir, "keeper"), "w", encoding="ascii") as f:
        f.write(f"{os.getpid()} {topology.start_time(os.getpid())}")
    with open(os.path.join(lab.dir, "env.json"), "w", encoding="ascii") as f:
        json.dump({"argv": world.cordon.command()}, f)


def cmd_enter(args):
    name = f"{STANDING}-{args.where}"
    if not netns.exists(name):
        names = [n[len(STANDING) + 1:] for n in os.listdir(netns.RUN_NETNS)
                 if n.startswith(STANDING + "-")] if os.path.isdir(netns.RUN_NETNS) else []
        if not names:
            raise LabError("no lab is standing; quickstart lab up builds it")
        names.sort(key=lambda n: (n[-1].isdigit(), not n.startswith("sensor"), n))
        raise LabError(f"no {args.where} in the lab; there are: {' '.join(names[:20])}"
                       + (" ..." if len(names) > 20 else ""))
    where = os.path.join(topology.STATE, STANDING)
    with open(os.path.join(where, "env.json"), encoding="ascii") as f:
        env = json.load(f)
    # a cordonctl that knows this lab's folders
    ctl, *options = env["argv"]
    rc = os.path.join(where, "rc")
    with open(rc, "w", encoding="utf-8") as f:
        quoted = " ".join(f"'{o}'" for o in options)
        f.write(f"PS1='({args.where}) \\w # '\ncordonctl() {{ '{ctl}' \"$@\" {quoted}; }}\n")
    if not args.argv:
        shell = ["bash", "--rcfile", rc, "-i"]
    else:
        shell = ["bash", "-c", f". '{rc}'; \"$@\"", "bash", *args.argv]
    os.execvp("ip", ["ip", "netns", "exec", name, *shell])


def cmd_revoke(args):
    """As the CA would: a new CRL with the device's serial on it, published by the web server."""
    where = os.path.join(topology.STATE, STANDING)
    if not os.path.isdir(where):
        raise LabError("no lab is standing; quickstart lab up builds it")
    try:
        device = topology.load(STANDING).device(args.device)
    except StopIteration:
        raise LabError(f"no {args.device} in the lab") from None
    ca = Authority(os.path.join(where, "ca"))
    ca.revoke(device.serial)
    publish(os.path.join(where, "www"), CRL_NAME, ca.crl())
    print(f"serial {device.serial} of {device.name} is on the CRL now; the router fetches it when it is due, "
          "or by cordonctl crl refresh")
    return 0


def cmd_down(_args):
    where = os.path.join(topology.STATE, STANDING)
    if not os.path.isdir(where):
        print("no lab is standing")
        return 0
    try:
        with open(os.path.join(where, "keeper"), encoding="ascii") as f:
            pid, started = (int(x) for x in f.read().split())
    except (FileNotFoundError, ValueError):
        pid, started = 0, 0
    if pid and topology.start_time(pid) == started:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while topology.start_time(pid) == started and time.monotonic() < deadline:
            time.sleep(0.05)
    topology.take_away(STANDING)
    print("the lab is gone")
    return 0


def main():
    parser = argparse.ArgumentParser(prog="quickstart", add_help=True)
    commands = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("demo")
    p.add_argument("--json", action="store_true")
    p.add_argument("--keep", action="store_true")
    p.set_defaults(run=cmd_demo)
    p = commands.add_parser("up")
    p.add_argument("--devices", type=int, default=12)
    p.set_defaults(run=cmd_up)
    p = commands.add_parser("enter")
    p.add_argument("where")
    p.add_argument("argv", nargs=argparse.REMAINDER)
    p.set_defaults(run=cmd_enter)
    p = commands.add_parser("revoke")
    p.add_argument("device")
    p.set_defaults(run=cmd_revoke)
    p = commands.add_parser("down")
    p.set_defaults(run=cmd_down)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))
    topology.sweep()
    try:
        return args.run(args)
    except LabError as e:
        print(f"quickstart: {e}", file=sys.stderr)
        return 1
    except subprocess.TimeoutExpired as e:
        print(f"quickstart: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
