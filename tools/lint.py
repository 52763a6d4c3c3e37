#!/usr/bin/env python3
"""Checks what the tree promises: the arrows between folders, that roles and evaluation are pure, and that a class
has one place, and that containers are of this version.

Prints one line a finding and exits 1 when there is one."""
import os
import re
import sys

# What a folder of src/ may include, besides itself and base/.
ARROWS = {
    "base": set(),
    "eval": set(),
    "wire": set(),
    "dial": set(),
    "identity": {"dial", "wire"},
    "roles": {"eval", "wire"},
    "host": {"roles", "eval", "wire"},
    "io": {"dial", "identity", "host", "roles", "eval", "wire"},
    "client": {"dial", "identity", "host", "eval", "wire"},
    "cli": {"client", "dial", "identity", "eval", "wire"},
    "web": {"io", "eval", "wire"},
    "sim": {"host", "roles", "eval", "wire"},
    "engine": set(),
    "apps": {"cli", "web", "client", "dial", "io", "sim", "engine", "host", "roles", "identity", "eval", "wire"},
}
ROLES = {"server", "coordinator", "worker", "storage", "mailer"}

# No clock, thread, socket or file, no chance of its own, no order that leaks from memory.
IMPURE = re.compile(
    r"#include <(thread|mutex|atomic|condition_variable|future|fstream|filesystem|random|unordered_\w+|"
    r"unistd\.h|sys/\w+\.h|fcntl\.h|grpc.*|sqlite3\.h)>|base/(file|frame)\.h|_clock::now|getenv|std::rand\b|shared_from_this")
BAD_NAMES = re.compile(r"(^|[/_])(util|utils|helper|helpers|manager|common|misc)([/_.]|$)")


def sources():
    for folder, _, files in os.walk("src"):
        for name in sorted(files):
            if name.endswith((".h", ".cc")):
                yield os.path.join(folder, name)


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r'#include "([^"]+)"', line):
            yield number, match[1]


def wrong_arrow(path, target):
    """Why `path` may not include `target`; empty when it may."""
    here, there = path.split("/")[1], target.split("/")[0]
    if there == "muster":  # Generated messages: for everything from the roles up.
        if here in ("base", "eval", "engine"):
            return f"{here}/ must not know the wire"
        if target.endswith(".grpc.pb.h") and here not in ("io", "client"):
            return "only io/ and client/ speak gRPC"
        return ""
    if there not in ARROWS:
        return f"'{there}' is no folder of src/"
    if there not in {here, "base"} | ARROWS[here]:
        return f"{here}/ must not include {there}/"
    parts, other = path.split("/"), target.split("/")
    if here == there == "roles" and parts[2] in ROLES and other[1] in ROLES and parts[2] != other[1]:
        return f"role {parts[2]} must not include role {other[1]}; they exchange messages"
    return ""


def check(path):
    with open(path) as file:
        text = file.read()
    for number, target in includes(text):
        if why := wrong_arrow(path, target):
            yield f"{path}:{number}: {why}"
    if re.match(r"src/(roles|eval|wire)/", path) and not path.endswith("_test.cc"):
        for number, line in enumerate(text.splitlines(), 1):
            if match := IMPURE.search(line):
                yield f"{path}:{number}: {match[0]} has no place in {path.split('/')[1]}/: it belongs to a port"
    if BAD_NAMES.search(path):
        yield f"{path}: a name that says nothing"
    if path.endswith(".h") and "#pragma once" not in text:
        yield f"{path}: no #pragma once"


# The head of a method that is defined outside its class: it begins a line.
METHOD = re.compile(r"^[A-Za-z][^;=()]*?\b(\w+)::~?\w+\(", re.MULTILINE)


def scattered_classes():
    """A class is a part with one place: its methods live in two .cc files at most."""
    homes = {}
    for path in sources():
        if not path.endswith(".cc") or path.endswith("_test.cc"):
            continue
        with open(path) as file:
            for name in METHOD.findall(file.read()):
                homes.setdefault((os.path.dirname(path), name), set()).add(os.path.basename(path))
    for (folder, name), files in sorted(homes.items()):
        if name[0].isupper() and len(files) > 2:
            yield f"{folder}: the methods of {name} are in {len(files)} files: {', '.join(sorted(files))}"


def other_versions():
    """Containers are of the version that the program says it is."""
    with open("CMakeLists.txt") as file:
        version = re.search(r"project\(muster VERSION ([\d.]+)", file.read())[1]
    named = ["docker-compose.yml", "master/Dockerfile", "slave/Dockerfile", "docs/containers.md"]
    named += [os.path.join(folder, name) for folder, _, files in os.walk("k8s") for name in sorted(files)]
    for path in named:
        with open(path) as file:
            for image, tag in re.findall(r"\b(muster(?:-worker|-sql)?):(\d[\w.]*)", file.read()):
                if tag != version:
                    yield f"{path}: {image}:{tag}, but this is {version}"


def main():
    findings = [finding for path in sources() for finding in check(path)]
    findings += scattered_classes()
    findings += other_versions()
    print("\n".join(findings) if findings else "arrows, purity, versions: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
