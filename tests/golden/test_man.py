# SPDX-License-Identifier: GPL-2.0-or-later
"""Manual pages: free of mistakes, leading nowhere that is not there, and as the programs say."""
import os
import re
import shutil
import subprocess

import pytest

SOURCE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
STAGE = os.path.join(os.environ.get("CORDON_BUILD", os.path.join(SOURCE, "build")), "stage")
MAN = os.path.join(SOURCE, "doc/man")
PAGES = sorted(os.listdir(MAN))
OTHERS = {"nft.8", "systemd-sysusers.8"}       # pages that other packages bring
WITH_OPTIONS = ["cordon-compile", "cordon-flow", "cordon-spawn", "cordond"]


def read(page):
    with open(os.path.join(MAN, page), encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("page", PAGES)
def test_no_mistakes(page):
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed")
    done = subprocess.run(["mandoc", "-Tlint", os.path.join(MAN, page)], text=True, capture_output=True, check=False)
    wrong = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_references_lead_somewhere(page):
    named = {f"{name}.{section}" for name, section in re.findall(r"^\.Xr (\S+) (\d)", read(page), re.M)}
    assert named - set(PAGES) - OTHERS == set()


@pytest.mark.parametrize("page", PAGES)
def test_installed(page):
    assert os.path.exists(os.path.join(STAGE, "share/man/man" + page[-1], page))


@pytest.mark.parametrize("name", WITH_OPTIONS)
def test_options_are_described(name):
    program = next(p for p in (os.path.join(STAGE, where, name) for where in ("sbin", "libexec/cordon"))
                   if os.path.exists(p))
    done = subprocess.run([program, "--help"], text=True, capture_output=True, check=True, timeout=10)
    options = set(re.findall(r"--([a-z]+(?:-[a-z]+)*)", done.stdout))
    described = set(re.findall(r"Fl -([a-z-]+)", read(name + ".8")))
    assert options and options - described - {"help", "version"} == set()
