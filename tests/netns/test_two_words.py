# SPDX-License-Identifier: GPL-2.0-or-later
"""Two words of operators about one device: neither takes away what the other one gave."""
import datetime
import time

import pytest

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def world(make_world):
    return make_world(kinds=[("sensor", 2)])


def soon(seconds):
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_certificate_for_a_while_and_the_device_for_good(world):
    """When the time of the certificate is over the device stays where it is, also behind a start."""
    device = world.site.devices[0]
    world.cordon.ctl("device", "revoke", device.name, "--reason", "keyCompromise")
    world.cordon.ctl("device", "revoke", "--serial", device.serial, "--authority", world.site.authority[0],
                     "--until", soon(2))
    time.sleep(3)
    assert world.station(device) == "quarantined"
    world.cordon.stop()
    world.cordon.start()
    assert world.station(device) == "quarantined"
    assert world.refused(device, world.lab.server, 4, 5000)
