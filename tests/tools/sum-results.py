#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""sum-results.py -- one line "N passed, N failed, N skipped" from what test runners leave.

    automake FOLDER    every .trs below it; a cmocka program counts by its tests
    junit FILE         pytest's XML
    sum FOLDER         the lines in the files of that folder

What failed and why something was skipped goes to standard error."""
import os
import re
import sys
import xml.etree.ElementTree as ET

RUN = re.compile(r"^\[==========\] .*?(\d+) test\(s\) run\.", re.M)
BAD = re.compile(r"^\[  (FAILED|ERROR)\s*\]\s+(?:\S+:\s+)?(\d+) test\(s\)", re.M)
NONE = re.compile(r"^\[  SKIPPED \]\s+(?:\S+:\s+)?(\d+) test\(s\)", re.M)
LINE = re.compile(r"^(\d+) passed, (\d+) failed, (\d+) skipped$", re.M)


def say(text):
    print("   " + text, file=sys.stderr)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def last_words(log):
    lines = [line for line in log.splitlines() if line.strip() and not line.startswith("SKIP ")]
    return lines[-1] if lines else "no reason given"


def skipped_tests(log):
    """{test: why} of a cmocka program, whose tests print "skipped: why" before they do."""
    found, why = {}, None
    for line in log.splitlines():
        if line.startswith("skipped: "):
            why = line.split(" ", 1)[1]
        test = re.match(r"\[  SKIPPED \] (\w+)$", line)
        if test:        # told again at the end
            found.setdefault(test.group(1), why or "no reason given")
            why = None
    return found


def one_program(name, result, log):
    """(passed, failed, skipped) of one automake test."""
    ran = sum(int(n) for n in RUN.findall(log))
    if result == "SKIP":
        say(f"skipped: {name}: {last_words(log)}")
        return 0, 0, 1
    if result in ("PASS", "XFAIL"):
        skipped = sum(int(n) for n in NONE.findall(log))
        for test, why in skipped_tests(log).items():
            say(f"skipped: {name}: {test}: {why}")
        return max(1, ran) - skipped, 0, skipped
    failed = max(1, sum(int(n) for _, n in BAD.findall(log)))
    say(f"FAILED: {name}")
    for line in log.splitlines()[-25:]:
        say("    " + line)
    return max(0, ran - failed), failed, 0


def automake(folder):
    total = [0, 0, 0]
    for where, _, files in os.walk(folder):
        for file in sorted(files):
            if not file.endswith(".trs"):
                continue
            base = os.path.join(where, file[:-len(".trs")])
            found = re.search(r"^:test-result: (\w+)", read(base + ".trs"), re.M)
            result = found.group(1) if found else "ERROR"
            name = os.path.relpath(base, folder)
            for i, n in enumerate(one_program(name, result, read(base + ".log"))):
                total[i] += n
    if not sum(total):
        say("FAILED: no test ran")
        total[1] = 1
    return total


def junit(path):
    if not os.path.exists(path):
        say("FAILED: pytest left no results")
        return [0, 1, 0]
    total = [0, 0, 0]
    for case in ET.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            say(f"FAILED: {name}")
            total[1] += 1
        elif skip is not None:
            say(f"skipped: {name}: {skip.get('message')}")
            total[2] += 1
        else:
            total[0] += 1
    if not sum(total):
        say("FAILED: no test ran")
        total[1] = 1
    return total


def add_up(folder):
    total = [0, 0, 0]
    for name in sorted(os.listdir(folder)):
        if "." in name:
            continue
        found = LINE.search(read(os.path.join(folder, name)))
        for i in range(3):
            total[i] += int(found.group(i + 1)) if found else (i == 1)
    return total


def main():
    what, where = sys.argv[1:3]
    total = {"automake": automake, "junit": junit, "sum": add_up}[what](where)
    print("{} passed, {} failed, {} skipped".format(*total))


if __name__ == "__main__":
    main()
