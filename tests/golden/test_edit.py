# SPDX-License-Identifier: GPL-2.0-or-later
"""cordonctl changes a configuration folder only if the whole stays without mistakes;
and its help, its man page and its completion speak of the same commands."""
import json
import os
import re
import shutil
import subprocess

import pytest

HERE = os.path.dirname(os.path.realpath(__file__))
SOURCE = os.path.join(HERE, "../..")
BUILD = os.environ.get("CORDON_BUILD", os.path.join(SOURCE, "build"))
STAGE = os.path.join(BUILD, "stage")
GATEWAY = "02:00:00:00:00:01"       # taken already in the case "everything"


class Etc:
    """A copy of a configuration, and cordonctl that works on it."""

    def __init__(self, path):
        self.path = str(path)
        shutil.copytree(os.path.join(HERE, "everything"), self.path)
        self.devices = os.path.join(self.path, "devices.d")

    def ctl(self, *argv):
        return subprocess.run([os.path.join(STAGE, "sbin/cordonctl"), *argv, "--config", self.path, "--programs",
                               os.path.join(STAGE, "libexec/cordon")], text=True, capture_output=True,
                              check=False, timeout=60)

    def must(self, code, *argv):
        done = self.ctl(*argv)
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def files(self):
        found = {}
        for name in os.listdir(self.devices):
            with open(os.path.join(self.devices, name), encoding="utf-8") as f:
                found[name] = f.read()
        return found

    def policy(self):
        return self.must(0, "policy", "print").stdout


@pytest.fixture
def etc(tmp_path):
    return Etc(tmp_path / "etc")


def test_add_writes_what_was_said(etc):
    done = etc.must(0, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--address",
                    "10.10.0.9", "--address", "fd10::9", "--interface", "lan1", "--label", "batch-1",
                    "--label", "hall-2")
    assert "cordonctl policy apply" in done.stdout
    assert re.search(r'name = "sensor-9"; class = "sensor"; mac = "02:00:00:00:00:09"; '
                     r'address = \[ "10.10.0.9", "fd10::9" \]; interface = "lan1";.*labels = \[ "batch-1", "hall-2" \]',
                     etc.policy())
    assert os.stat(os.path.join(etc.devices, "sensor-9.conf")).st_mode & 0o777 == 0o644


def test_add_json(etc):
    done = etc.must(0, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--json")
    answer = json.loads(done.stdout)
    assert answer["added"] is True and answer["file"].endswith("/devices.d/sensor-9.conf")


@pytest.mark.parametrize("options", [
    ["--class", "senso", "--mac", "02:00:00:00:00:09"],
    ["--class", "sensor", "--mac", GATEWAY],
    ["--class", "sensor", "--mac", "02:00:00:00:00:09", "--address", "10.10.0.1"],
    ["--class", "sensor", "--mac", "02:00:00:00:00:09", "--interface", "eth7"],
    ["--class", "sensor", "--mac", "02:00:00:00:00:09", "--authority", "nobody", "--serial", "03"],
])
def test_add_with_a_mistake_changes_nothing(etc, options):
    before = etc.files()
    done = etc.must(1, "device", "add", "sensor-9", *options)
    assert "devices.d/sensor-9.conf:" in done.stderr
    assert etc.files() == before
    answer = json.loads(etc.must(1, "device", "add", "sensor-9", *options, "--json").stdout)
    assert answer["added"] is False
    assert answer["mistakes"][0]["file"] == "devices.d/sensor-9.conf"
    assert etc.files() == before


@pytest.mark.parametrize("argv", [
    ["../x", "--class", "sensor", "--mac", "02:00:00:00:00:09"],
    [".x", "--class", "sensor", "--mac", "02:00:00:00:00:09"],
    ["x y", "--class", "sensor", "--mac", "02:00:00:00:00:09"],
    ["x", "--class", "a\"; }", "--mac", "02:00:00:00:00:09"],
    ["x", "--class", "sensor"],
    ["x", "--mac", "02:00:00:00:00:09"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--address", "10.10.0"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--label", "\"a"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--interface", "a/b"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--serial", "03"],
    ["x", "--class", "sensor", "--mac", "02:00:00:00:00:09", "--authority", "a", "--serial", "xyz"],
])
def test_words_that_cannot_be_written_down(etc, argv):
    before = etc.files()
    etc.must(64, "device", "add", *argv)
    assert etc.files() == before


def test_add_does_not_overwrite(etc):
    etc.must(0, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:09")
    before = etc.files()
    done = etc.must(1, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:0a")
    assert "is there already" in done.stderr
    assert etc.files() == before


def test_nothing_stays_when_it_cannot_be_checked(etc, tmp_path):
    before = etc.files()
    done = subprocess.run([os.path.join(STAGE, "sbin/cordonctl"), "device", "add", "sensor-9", "--class", "sensor",
                           "--mac", "02:00:00:00:00:09", "--config", etc.path, "--programs", str(tmp_path)],
                          text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1 and "--programs" in done.stderr
    assert etc.files() == before


def inventory(tmp_path, text, name="line-3.csv"):
    path = tmp_path / name
    path.write_text(text)
    return str(path)


def test_import_keeps_every_byte(etc, tmp_path):
    text = "name;class;mac;labels\r\ns-1;sensor;02:00:00:00:01:01;a\r\ns-2;sensor;02:00:00:00:01:02;\"b,c\"\r\n"
    path = tmp_path / "line-3.csv"
    path.write_bytes(text.encode())
    etc.must(0, "device", "import", str(path))
    with open(os.path.join(etc.devices, "line-3.csv"), "rb") as f:
        assert f.read() == text.encode()
    assert 'name = "s-2"' in etc.policy()


def test_import_gives_a_class(etc, tmp_path):
    etc.must(0, "device", "import", inventory(tmp_path, "name,mac\ns-1,02:00:00:00:01:01\n"), "--class", "brick")
    assert 'name = "s-1"; class = "brick"' in etc.policy()
    done = etc.must(64, "device", "import",
                    inventory(tmp_path, "name,class,mac\ns-1,brick,02:00:00:00:01:01\n", "b.csv"), "--class", "brick")
    assert "leave --class out" in done.stderr


def test_import_replaces_only_when_told(etc, tmp_path):
    etc.must(0, "device", "import", inventory(tmp_path, "name,class,mac\ns-1,brick,02:00:00:00:01:01\n"))
    newer = inventory(tmp_path, "name,class,mac\ns-2,brick,02:00:00:00:01:02\n")
    assert "--replace" in etc.must(1, "device", "import", newer).stderr
    assert "s-1" in etc.policy()
    etc.must(0, "device", "import", newer, "--replace")
    assert "s-1" not in etc.policy() and "s-2" in etc.policy()


def test_a_bad_replacement_leaves_the_old(etc, tmp_path):
    etc.must(0, "device", "import", inventory(tmp_path, "name,class,mac\ns-1,brick,02:00:00:00:01:01\n"))
    before = etc.files()
    etc.must(1, "device", "import", inventory(tmp_path, f"name,class,mac\ns-2,brick,{GATEWAY}\n"), "--replace")
    assert etc.files() == before


def test_import_wants_a_plain_name(etc, tmp_path):
    for name in ("a b.csv", ".csv", ".x.csv", "a.txt"):
        etc.must(64, "device", "import", inventory(tmp_path, "name,class,mac\n", name))
    etc.must(1, "device", "import", str(tmp_path / "none.csv"))


# ---- rebind ------------------------------------------------------------------


def test_rebind_in_a_configuration_file(etc):
    etc.must(0, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:09")
    done = etc.must(0, "device", "rebind", "sensor-9", "--mac", "02:00:00:00:09:99", "--words", "board replaced")
    assert "02:00:00:00:09:99 in place of 02:00:00:00:00:09, in devices.d/sensor-9.conf" in done.stdout
    assert "cordonctl policy apply" in done.stdout
    text = etc.files()["sensor-9.conf"]
    assert re.search(r"^ *# rebound at .* UTC.*, before 02:00:00:00:00:09: board replaced\n.*mac = \"02:00:00:00:09:99\"",
                     text, re.M)
    assert 'name = "sensor-9"; class = "sensor"; mac = "02:00:00:00:09:99"' in etc.policy()


def test_rebind_in_a_table(etc, tmp_path):
    etc.must(0, "device", "import", inventory(tmp_path, "name,class,mac\ns-1,brick,02:00:00:00:01:01\n"
                                              "s-2,brick,02-00-00-00-01-02\n"))
    done = etc.must(0, "device", "rebind", "s-2", "--mac", "02:00:00:00:01:99", "--json")
    answer = json.loads(done.stdout)
    assert answer["mac"] == "02:00:00:00:01:99" and answer["mac_before"] == "02:00:00:00:01:02"
    assert etc.files()["line-3.csv"] == "name,class,mac\ns-1,brick,02:00:00:00:01:01\ns-2,brick,02:00:00:00:01:99\n"
    assert "no comments" in etc.must(64, "device", "rebind", "s-2", "--mac", "02:00:00:00:01:98", "--words", "x").stderr


@pytest.mark.parametrize("argv, code, words", [
    (["sensor-9", "--mac", GATEWAY], 1, "is the MAC of the device"),
    (["sensor-9", "--mac", "02:00:00:00:00:09"], 1, "already"),
    (["sensor-9", "--mac", "02:00:00:00:00"], 64, "Ethernet address"),
    (["sensor-9"], 64, "--mac is needed"),
    (["sensr-9", "--mac", "02:00:00:00:00:99"], 1, "did you mean"),
    (["sensor-9", "--mac", "02:00:00:00:00:99", "--words", "a\nb"], 64, "--words"),
])
def test_rebind_mistakes(etc, argv, code, words):
    etc.must(0, "device", "add", "sensor-9", "--class", "sensor", "--mac", "02:00:00:00:00:09")
    before = etc.files()
    assert words in etc.must(code, "device", "rebind", *argv).stderr
    assert etc.files() == before


def test_rebind_of_the_right_device_only(etc):
    """Another entry that mentions the MAC first is not the one: then nothing is changed."""
    path = os.path.join(etc.devices, "two.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write('devices = ( { name = "behind"; class = "sensor"; via = "02:00:00:00:00:77"; address = [ "10.77.0.1" ]; '
                'interface = "lan1"; }, { name = "x"; class = "sensor"; mac = "02:00:00:00:00:78"; } );\n')
    before = etc.files()
    done = etc.ctl("device", "rebind", "behind", "--mac", "02:00:00:00:00:79")
    assert done.returncode == 1 and "behind a router" in done.stderr, done.stderr
    assert etc.files() == before


# ---- help, man page, completion ------------------------------------------------


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
        return f.read()


def test_the_same_commands_everywhere(etc):
    text = etc.must(0, "--help").stdout
    lines = text.split("\n\n")[1].splitlines()
    names = [re.match(r"  ([a-z]+(?: [a-z]+)?) ", line).group(1) for line in lines]
    assert len(names) == len(lines) >= 15
    man, completion = read("doc/man/cordonctl.8"), read("conf/bash-completion/cordonctl")
    for name in names:
        assert re.search(rf"^\.It (?:Xo )?Cm {name}\b", man, re.M), f"{name} is not in the man page"
        noun, _, verb = name.partition(" ")
        if verb:
            line = re.search(rf'^\t"{noun} "\) COMPREPLY=.*$', completion, re.M)
            assert line and re.search(rf"\b{verb}\b", line.group(0)), f"{name} is not completed"
        for option in re.findall(r"^  --([a-z]+)", etc.must(0, *name.split(), "--help").stdout, re.M):
            assert f"Fl -{option}" in man, f"--{option} is not in the man page"
            assert f"--{option}" in completion, f"--{option} is not completed"
