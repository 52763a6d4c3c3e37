#!/usr/bin/env python3
"""Times muster-engine beside processes that are busy, and several engines at once.

Each row is the median of --times runs, all in turn, so that a slow moment of the machine falls on each. The fair share of an
engine with T threads beside B busy processes on C cores is T of T + B when there are more of them than cores: what took S
seconds alone should take S * (T + B) / C with T = C. --other names another bin directory, for the time before a change."""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests"))
from pool.evaluation import score_command, write_requests  # noqa: E402


class Engine:
    def __init__(self, bin_dir, model, requests, folder):
        self.bin_dir, self.model, self.requests, self.folder = bin_dir, model, requests, folder

    def start(self, number=0, threads=None):
        flags = ["--threads", str(threads)] if threads else []
        output = os.path.join(self.folder, f"out-{number}")
        return subprocess.Popen(score_command(self.model, self.requests, output, *flags, bin_dir=self.bin_dir),
                                stderr=subprocess.DEVNULL)

    def seconds(self, engines=1, threads=None):
        begin = time.monotonic()
        running = [self.start(number, threads) for number in range(engines)]
        if any([process.wait() for process in running]):
            sys.exit("an engine failed")
        return time.monotonic() - begin


def beside(busy, measure):
    """Measures while `busy` processes do nothing but compute."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        return measure()
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def made_up(contexts):
    for number in range(contexts):
        context = f"Is {number * 7919 % 1000} more than {number * 31 % 997}? " + "The quick brown fox is quick. " * 4
        for answer in (" yes", " no", " maybe", " never"):
            yield context, answer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin_dir")
    parser.add_argument("model")
    parser.add_argument("--other", help="a bin directory to compare with, undisturbed")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--contexts", type=int, default=100)
    args = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        requests = os.path.join(folder, "requests")
        write_requests(requests, made_up(args.contexts))
        engine = Engine(args.bin_dir, args.model, requests, folder)
        rows = {f"beside {busy} busy": lambda busy=busy: beside(busy, engine.seconds) for busy in (0, 1, 2, 4)}
        if args.other:
            rows["before, beside 0"] = Engine(args.other, args.model, requests, folder).seconds
        rows["six, by themselves"] = lambda: engine.seconds(engines=6)
        for threads in sorted({1, 2, cores}):
            rows[f"six, --threads {threads}"] = lambda threads=threads: engine.seconds(engines=6, threads=threads)
        taken = {name: [] for name in rows}
        for _ in range(args.times):
            for name, measure in rows.items():
                taken[name].append(measure())
    median = {name: statistics.median(times) for name, times in taken.items()}
    alone = median["beside 0 busy"]
    best = min(seconds for name, seconds in median.items() if name.startswith("six, --threads"))
    print(f"{cores} cores, {4 * args.contexts} requests, medians of {args.times}")
    for name, seconds in median.items():
        spread = f"{min(taken[name]):.2f} to {max(taken[name]):.2f}"
        note = ""
        if name.startswith("beside") and not name.startswith("beside 0"):
            fair = alone * (cores + int(name.split()[1])) / cores
            note = f"  {seconds / fair:.2f} of its fair share, {fair:.2f} s"
        if name == "six, by themselves":
            note = f"  {seconds / best:.2f} of the best split"
        if name.startswith("before"):
            note = f"  {alone / seconds:.2f}: now of before"
        print(f"{name:20} {seconds:7.2f} s  ({spread}){note}", flush=True)


if __name__ == "__main__":
    main()
