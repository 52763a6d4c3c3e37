#!/usr/bin/env python3
"""Plants the mistakes of tests/mutants one by one and counts the seeds until the simulator notices.

A mutant is a patch of src/ whose first lines, before the diff, say what a good engineer might have got
wrong. Each is applied to a copy of the tree, built, and run; prints one line a mutant and closes with
'N passed, N failed', a mutant that survives having failed. One whose words say "Seen in the rates of N items" makes
no run wrong by itself, and is held against `muster sim --liars N`. --check only sees that the patches apply."""
import argparse
import os
import re
import shutil
import subprocess
import sys

PATCHES = "tests/mutants"
COPY = "build/mutants/tree"
MOST_SEEDS = 2000


def tracked():
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], check=True, capture_output=True, text=True)
    return [path for path in out.stdout.splitlines() if os.path.isfile(path)]


def copy_tree():
    """The tracked files under COPY; files that are the same keep their time, so little is built anew."""
    wanted = set()
    for path in tracked():
        target = os.path.join(COPY, path)
        wanted.add(target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(path, "rb") as file:
            content = file.read()
        if os.path.exists(target) and open(target, "rb").read() == content:
            continue
        with open(target, "wb") as file:
            file.write(content)
        shutil.copymode(path, target)
    for folder, folders, names in os.walk(COPY):
        if folder == COPY and "build" in folders:
            folders.remove("build")
        for path in (os.path.join(folder, name) for name in names):
            if path not in wanted:  # A file that is gone, or left by a patch.
                os.remove(path)


def patch(name, *flags):
    path = os.path.abspath(os.path.join(PATCHES, name))
    return subprocess.run(["patch", "--quiet", "-p1", *flags, "-i", path], cwd=COPY, capture_output=True, text=True)


def build():
    if not os.path.exists(f"{COPY}/build/release/build.ninja"):
        subprocess.run(["cmake", "--preset", "release", "-DMUSTER_SIM_ONLY=ON"], cwd=COPY, check=True,
                       stdout=subprocess.DEVNULL)
    return subprocess.run(["cmake", "--build", "--preset", "release", "--target", "sim_seeds", "--", "--quiet"],
                          cwd=COPY, capture_output=True, text=True)


def seeds_until_caught():
    """(seeds, what was said) of the first failure; (None, "") when none came."""
    done = subprocess.run([f"{COPY}/build/release/bin/sim_seeds", "1", str(MOST_SEEDS)], capture_output=True, text=True)
    if done.returncode == 0:
        return None, ""
    first = next((line for line in done.stderr.splitlines() if line.startswith("seed ")), "seed ? CRASHED")
    number = re.match(r"seed (\d+)", first)
    return int(number[1]) if number else 1, first


def rates_of(name):
    """Of how many items the rates show this mutant; None: seeds do."""
    with open(os.path.join(PATCHES, name)) as file:
        found = re.search(r"Seen in the rates of (\d+) items", file.read())
    return found and found[1]


def verdict_of_rates(items):
    """(whether it was caught, the row that tells)."""
    done = subprocess.run([f"{COPY}/build/release/bin/sim_seeds", "1", items, "liars"], capture_output=True, text=True)
    if done.returncode == 0:
        return False, f"SURVIVES the rates of {items} items"
    odd = [line for line in done.stdout.splitlines() if "NOT AS EXPECTED" in line]
    return True, f"caught by the rates  {(odd or ['CRASHED'])[0][:90]}"


def verdict_of_seeds():
    seeds, said = seeds_until_caught()
    caught = seeds is not None
    return caught, f"caught by seed {seeds:5}  {said[:110]}" if caught else f"SURVIVES {MOST_SEEDS} seeds"


def check(names):
    """Whether every patch applies to the tree as it is."""
    bad = 0
    for name in names:
        done = subprocess.run(["git", "apply", "--check", os.path.join(PATCHES, name)], capture_output=True, text=True)
        if done.returncode != 0:
            bad += 1
            print(f"{PATCHES}/{name}: does not apply any more: {done.stderr.strip().splitlines()[0]}")
    print(f"mutants: {len(names) - bad} of {len(names)} patches apply")
    return 1 if bad else 0


def plant(name):
    """Builds and runs one mutant; returns whether it was caught."""
    done = patch(name)
    if done.returncode != 0:
        print(f"{name:44} does not apply: {done.stdout.strip()}", flush=True)
        return False
    try:
        built = build()
        if built.returncode != 0:
            print(f"{name:44} does not build:\n{built.stdout[-2000:]}", flush=True)
            return False
        items = rates_of(name)
        caught, verdict = verdict_of_rates(items) if items else verdict_of_seeds()
    finally:
        patch(name, "-R")
    print(f"{name:44} {verdict}", flush=True)
    return caught


def main():
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="only those whose name has this in it")
    parser.add_argument("--check", action="store_true", help="only see that the patches apply")
    args = parser.parse_args()
    names = sorted(name for name in os.listdir(PATCHES) if name.endswith(".patch") and args.name in name)
    if args.check:
        return check(names)
    copy_tree()
    caught = sum(plant(name) for name in names)
    print(f"{caught} passed, {len(names) - caught} failed")
    return 0 if names and caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())
