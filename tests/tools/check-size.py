#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-size.py [FOLDER...] -- files of at most 400 lines, functions of at most 60.

What is longer must stand in size-exceptions.txt with the size it had when that was
decided, and may not grow; 800 and 100 lines are the end for everybody. Prints
file:line: function: size for each offender; exit code 1 when there is one."""
import os
import re
import sys

FILE_WISHED, FILE_CAP = 400, 800
FUNCTION_WISHED, FUNCTION_CAP = 60, 100
SOURCE = os.environ.get("CORDON_SOURCE", os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
FOLDERS = ("src", "bench", "tests/fuzz")

# strings, characters and comments hide braces
HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def blank(match):
    """The same number of lines, nothing else."""
    return "\n" * match.group(0).count("\n") or " "


def functions(text):
    """(name, first line, number of lines) of every function: KNF puts its braces in column 0."""
    lines = HIDDEN.sub(blank, text).split("\n")
    start = None
    for i, line in enumerate(lines):
        if line.startswith("{"):
            start = i
        elif line.startswith("}") and start is not None:
            head = i = start - 1
            while head > 0 and lines[head - 1].strip() and not lines[head - 1].startswith(("#", "}")):
                head -= 1
            name = re.search(r"(\w+)\s*\(", " ".join(lines[head:start]))
            end = lines.index(line, start)
            if name:
                yield name.group(1), head + 1, end - start + 1
            start = None


def exceptions():
    known = {}
    path = os.path.join(SOURCE, "tests/tools/size-exceptions.txt")
    if os.path.exists(path):
        with open(path, encoding="ascii") as f:
            for line in f:
                words = line.split("#")[0].split()
                if len(words) == 2:
                    known[words[0]] = int(words[1])
    return known


def sources(folders):
    for folder in folders:
        for where, _, files in sorted(os.walk(os.path.join(SOURCE, folder))):
            for name in sorted(files):
                if name.endswith((".c", ".h", ".def")):
                    yield os.path.relpath(os.path.join(where, name), SOURCE)


def main():
    known, bad, n = exceptions(), 0, 0

    def check(where, key, size, wished, cap):
        nonlocal bad
        if size <= wished or size <= min(known.get(key, 0), cap):
            return
        bad += 1
        print(f"{where}: {size} lines, at most {max(wished, min(known.get(key, 0), cap))} ({key})")

    for path in sources(sys.argv[1:] or FOLDERS):
        n += 1
        with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
            text = f.read()
        check(path, path, text.count("\n"), FILE_WISHED, FILE_CAP)
        for name, line, size in functions(text):
            check(f"{path}:{line}: {name}", f"{path}:{name}", size, FUNCTION_WISHED, FUNCTION_CAP)
    print(f"{n} files looked at, {bad} too long")
    return 1 if bad or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
