# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures: a lab with cordon in its router, and words for what tests check."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from lab import topology            # noqa: E402
from lab.cordon import Stage        # noqa: E402
from lab.netns import LabError      # noqa: E402
from lab.topology import Lab        # noqa: E402
from world import TestWorld         # noqa: E402

BUILD = os.environ.get("CORDON_BUILD", os.path.join(os.path.dirname(__file__), "../../build"))


def pytest_addoption(parser):
    parser.addoption("--force-absent", default="",
                     help="kernel features that cordond shall take for absent: owner-persist,connlimit")


def pytest_configure(config):
    config.addinivalue_line("markers", "vm: also runs in a virtual machine with Debian's own kernel")
    config.addinivalue_line("markers", "feature(name): needs this kernel feature")
    config.addinivalue_line("markers", "once: the same whatever is forced absent, so not run again with --force-absent")
    if os.geteuid() != 0:
        raise pytest.UsageError("these tests need root: they make network namespaces")
    topology.sweep()


def absent_features(config):
    return [name for name in config.getoption("--force-absent").split(",") if name]


def pytest_collection_modifyitems(config, items):
    absent = absent_features(config)
    again = [item for item in items if absent and item.get_closest_marker("once")]
    if again:
        config.hook.pytest_deselected(items=again)
        items[:] = [item for item in items if not item.get_closest_marker("once")]
    for item in items:
        for mark in item.iter_markers("feature"):
            if mark.args[0] in absent:
                item.add_marker(pytest.mark.skip(reason=f"{mark.args[0]} is forced absent in this run"))


@pytest.fixture(params=[4, 6], ids=["ipv4", "ipv6"])
def family(request):
    return request.param


@pytest.fixture(scope="session")
def stage():
    try:
        made = Stage(os.path.join(BUILD, "stage"))
    except LabError as e:
        pytest.fail(str(e))
    yield made
    made.close()


@pytest.fixture(scope="module")
def make_world(request, stage):
    """make_world(kinds=..., shared=..., classes=...): a running cordon with a policy applied."""
    made = []

    def make(kinds=(("sensor", 3), ("camera", 2), ("gateway", 1)), shared=(), start=True, build=Lab, kind=TestWorld,
             **kw):
        lab = build(kinds=list(kinds), shared=list(shared))
        world = kind(lab, stage, absent_features(request.config), **kw)
        made.append(world)
        lab.up()
        world.servers().authority().configure()
        if start:
            try:
                world.start()
            except LabError:
                print(world.cordon.log_tail(60))
                raise
        return world
    yield make
    for world in reversed(made):
        world.close()
        world.lab.down()


@pytest.fixture(scope="module")
def world(make_world):
    """The usual lab: six devices at their own ports, two on a shared segment."""
    return make_world(shared=(("sensor", 2),))


@pytest.fixture(autouse=True)
def show_the_log(request):
    """When a test fails, what cordon said belongs to the report."""
    yield
    world = request.node.funcargs.get("world") if hasattr(request.node, "funcargs") else None
    report = getattr(request.node, "report_call", None)
    if world is not None and report is not None and report.failed:
        print(world.cordon.log_tail(15))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.report_call = outcome.get_result()
