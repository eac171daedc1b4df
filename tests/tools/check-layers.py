#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check-layers.py -- who may include whom, which library stays where, which calls nobody makes.

    common knows nothing; proto knows common; model knows common and proto/limits.h;
    config and evidence know model; a process knows all of those and no other process (but
    cordonctl the part of pki that only computes)."""
import os
import re
import sys

SOURCE = os.environ.get("CORDON_SOURCE", os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))

LOWER = {"common": {"common"}, "proto": {"proto", "common"}, "model": {"model", "common"},
         "config": {"config", "model", "common", "proto"}, "evidence": {"evidence", "model", "common", "proto"}}
PROCESSES = ("spawn", "enforce", "flow", "pki", "fetch", "ctl")
SHARED = set(LOWER)
# cordonctl judges CRLs by the very code of cordon-pki, of which it has what does no I/O
ALSO = {"model": {"proto/limits.h"},
        "ctl": {f"pki/{name}.h" for name in ("authority", "crl_input", "crl_scan", "der", "name", "trust")}}

# library header -> where it may be included
LIBRARIES = {
    r"libconfig\.h": r"src/config/",
    r"libnftnl/": r"src/enforce/nft_\w+\.[ch]$",
    r"sqlite3\.h": r"src/evidence/",
    r"openssl/": r"src/(pki|config)/|src/ctl/check\w*\.[ch]$",
    r"curl/": r"src/fetch/",
    r"jansson\.h": r"src/ctl/",
}

FORBIDDEN = re.compile(r"\b(system|popen|strcpy|strcat|sprintf|vsprintf|gets|alloca)\s*\(")
CLOCKS = re.compile(r"\b(clock_gettime|gettimeofday|time)\s*\(")
WORDS = re.compile(r"\b(TODO|FIXME|XXX)\b|\bstub\b|\bfor now\b")
TYPEDEF = re.compile(r"^typedef\s+(struct|union|enum)\b", re.M)
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
INCLUDE = re.compile(r'^#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def blank(match):
    return "\n" * match.group(0).count("\n") or " "


def sources():
    for where, _, files in sorted(os.walk(os.path.join(SOURCE, "src"))):
        for name in sorted(files):
            if name.endswith((".c", ".h", ".def")):
                yield os.path.relpath(os.path.join(where, name), SOURCE)


def allowed(folder):
    return LOWER.get(folder, SHARED | {folder})


def check_includes(path, folder, text, say):
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        kind, name = match.groups()
        top = name.split("/")[0]
        if kind == '"' and "/" in name and top in SHARED | set(PROCESSES):
            if top not in allowed(folder) and name not in ALSO.get(folder, ()):
                say(line, f"{folder}/ may not include {name}")
            if folder == "model" and top == "proto" and name != "proto/limits.h":
                say(line, "model/ knows nothing of proto/ but limits.h")
        for library, where in LIBRARIES.items():
            if re.match(library, name) and not re.match(where, path):
                say(line, f"<{name}> belongs to {where}")


def check_calls(path, folder, text, say):
    code = STRING.sub('""', COMMENT.sub(blank, text))

    def each(pattern, what):
        for match in pattern.finditer(code):
            say(code.count("\n", 0, match.start()) + 1, f"{match.group(0).strip('( ')}: {what}")
    each(FORBIDDEN, "not used here")
    each(TYPEDEF, "structs, unions and enums go by their tag")
    if path != "src/common/clock.c":
        each(CLOCKS, "only common/clock.c reads clocks")
    for match in WORDS.finditer(text):
        say(text.count("\n", 0, match.start()) + 1, f"\"{match.group(0)}\" promises work instead of doing it")
    if folder in ("common", "model") and os.path.basename(path) not in ("log.c", "log.h"):
        for match in re.finditer(r"\blog_(warn|info|err|debug|fatal)\w*\s*\(", code):
            say(code.count("\n", 0, match.start()) + 1, f"{folder}/ does not log: it returns a reason")


def main():
    bad = []
    n = 0
    for path in sources():
        n += 1
        with open(os.path.join(SOURCE, path), encoding="utf-8") as f:
            text = f.read()
        folder = path.split("/")[1]

        def say(line, what, path=path):
            bad.append(f"{path}:{line}: {what}")
        if "SPDX-License-Identifier: GPL-2.0-or-later" not in text.split("\n", 1)[0]:
            say(1, "the first line names the licence")
        check_includes(path, folder, text, say)
        check_calls(path, folder, text, say)
    print("\n".join(bad + [f"{n} files looked at, {len(bad)} faults"]))
    return 1 if bad or n == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
