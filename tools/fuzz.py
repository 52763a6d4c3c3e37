#!/usr/bin/env python3
"""Runs fuzz targets under libFuzzer, one after another, and says what came of it: how many inputs, how
far the coverage and the corpus grew, and each finding with the command that replays it.

What a target learnt stays in build/fuzz/corpus and is where the next run begins; a finding is kept in
build/fuzz/findings. Exits 1 when there is one."""
import argparse
import os
import re
import subprocess
import sys

SLOWEST = 30  # Seconds for one input: longer is a finding.


def targets():
    with open(os.path.join(os.path.dirname(__file__), "../tests/fuzz/CMakeLists.txt")) as file:
        return re.findall(r"^muster_fuzz_target\((\w+)", file.read(), re.M)


def run(command, dry, **how):
    if dry:
        print("+", " ".join(command))
        return None
    return subprocess.Popen(command, **how)


def last(pattern, text, otherwise=0):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else otherwise


def first(pattern, text):
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def fuzz(name, options):
    """The number of findings."""
    program = os.path.join(options.bin, "fuzz_" + name)
    corpus = os.path.join(options.bin, "../corpus", name)
    findings = os.path.join(options.bin, "../findings", name)
    corpus, findings = os.path.normpath(corpus), os.path.normpath(findings)
    if not options.dry:
        os.makedirs(findings, exist_ok=True)
    seeding = run([program, "--seeds", corpus], options.dry)
    if seeding and seeding.wait() != 0:
        print(f"{name}: the seeds could not be made")
        return 1
    before = set() if options.dry else set(os.listdir(findings))
    jobs = []
    for job in range(options.jobs):
        # Each reads now and then what the others added to the corpus.
        command = [program, corpus, f"-dict={corpus}.dict", f"-artifact_prefix={findings}/", "-print_final_stats=1",
                   f"-max_total_time={round(options.minutes * 60)}", f"-timeout={SLOWEST}", "-rss_limit_mb=4096"]
        if options.seed:
            command.append(f"-seed={options.seed + job}")
        log = open(f"{findings}.{job}.log", "wb") if not options.dry else None
        jobs.append((run(command, options.dry, stdout=log, stderr=log), log))
    if options.dry:
        return 0
    codes, texts = [], []
    for job, log in jobs:
        codes.append(job.wait())
        log.close()
        with open(log.name, errors="replace") as file:
            texts.append(file.read())
    return report(name, program, findings, before, codes, texts)


def report(name, program, findings, before, codes, texts):
    done = sum(last(r"number_of_executed_units: *(\d+)", text) for text in texts)
    rate = sum(last(r"average_exec_per_sec: *(\d+)", text) for text in texts)
    coverage = [first(r"INITED cov: (\d+)", texts[0]), max(last(r" cov: (\d+)", text) for text in texts)]
    corpus = [first(r"INITED .* corp: (\d+)/", texts[0]), max(last(r" corp: (\d+)/", text) for text in texts)]
    print(f"{name}: {done} inputs, {rate} a second, coverage {coverage[0]} -> {coverage[1]}, "
          f"corpus {corpus[0]} -> {corpus[1]}", flush=True)
    new = sorted(set(os.listdir(findings)) - before)
    for finding in new:
        print(f"  found: {program} {os.path.join(findings, finding)}")
    for code, text in zip(codes, texts):
        why = re.search(r"^(muster: invariant broken.*|.*ERROR: (?:Address|libFuzzer).*|.*runtime error.*)$", text, re.M)
        if code != 0:
            print(f"  {why[1] if why else 'it ended with ' + str(code)}", flush=True)
    return len(new) or int(any(codes))


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description="Looks for inputs that a parser cannot bear.")
    parser.add_argument("target", nargs="?", help="one target; else all in turn")
    parser.add_argument("--minutes", type=float, default=1, help="for each target (1)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (1)")
    parser.add_argument("--seed", type=int, default=0, help="of libFuzzer's chance; 0: another one each time")
    parser.add_argument("--bin", default="build/fuzz/bin")
    parser.add_argument("--dry", action="store_true", help="only print the commands")
    options = parser.parse_args()
    known = targets()
    if options.target and options.target not in known:
        print(f"'{options.target}' is no target; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    names = [options.target] if options.target else known
    return 1 if sum(fuzz(name, options) for name in names) else 0


if __name__ == "__main__":
    sys.exit(main())
