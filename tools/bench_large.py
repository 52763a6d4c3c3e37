#!/usr/bin/env python3
"""One large job in a pool of real processes: items of 3 kB, two stores, workers with stand-in engines, all on loopback.

Wanted are a job that is done, no line that was given up on the way, nothing that was left out on one, and no node that ever
had more than a window of records on their way to a store (Outbox::kWindowBytes). One store's process stands still for some
seconds again and again, so that the windows fill.

The task is a stand-in: the coordinator is muster-large, which is muster with another bundle (tests/large/bundle.cc), in which
tinyHellaswag has 56,000 items. The engines answer -1 to everything (tests/pool/stand_in_engine.py). Each node speaks through a relay of this
program, which reads along (tests/large/flight.py) and counts connections. `muster sim --items` is the simulated twin.

Needs protobuf for Python, as tests/insider does: ./dev bench large"""
import argparse
import json
import os
import re
import shutil
import signal
import sys
import threading
import time

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests")
sys.path[:0] = [TESTS, os.path.join(TESTS, "large")]
from flight import Flight  # noqa: E402
from pool.processes import Pool  # noqa: E402
from pool.stand_in_engine import StandInEngine  # noqa: E402

TASK, ITEMS, VOTES = "tinyHellaswag", 56_000, 2
WINDOW_BYTES = 256 << 10
TOO_BUSY_S = 2  # Eight seconds of silence end a line.
SHOWN = 20  # Lines of what went wrong.
# What the processes say of a line that is given up (io/mesh/mesh_client.cc, roles/server), and of messages that found no
# room on one (mesh_client.cc, lines.cc).
GIVEN_UP = r"is gone: |connecting again|no server answers|is refused|refuses this machine"
LEFT_OUT = r"left out|was not passed on|messages to it were dropped"


class LargePool(Pool):
    """A server, two stores, workers and a coordinator, each node behind a relay of its own."""

    def __init__(self, bin_dir, workers):
        self.programs = os.path.join(bin_dir, "muster-large")
        super().__init__(bin_dir, purpose="large", insecure=True)  # What is said is looked at on its way.
        os.mkdir(self.path("bin"))
        worker = self.path("bin", "muster")
        shutil.copy2(self.program, worker)  # Not a link: it looks for the engine beside itself.
        StandInEngine.install(self.path("bin"))
        engines = StandInEngine(self.path("engines"))
        self.server = self.start("server")
        self.server.wait_for("serving on")
        self.flights, self.stores = {}, []
        for _ in range(2):
            self.stores.append(self.join("worker", "--role", "storage"))
        self.server.wait_for("copies 2 of 2")
        for number in range(workers):
            self.join_writer(f"worker {number + 1}", "worker", "--role", "compute", "--threads", "1", program=worker,
                             env=engines.env)
        self.join_writer("coordinator", "coordinator", program=os.path.join(bin_dir, "muster-large"))

    def join_writer(self, name, *arguments, **more):
        self.flights[name] = Flight()
        self.join(*arguments, heed_line=self.flights[name].heed, **more)

    def join(self, *arguments, heed_line=None, **more):
        daemon = self.start(*arguments, port=self.relay(heed_line).port, **more)
        daemon.wait_for("connected to the server")
        return daemon

    def said(self, pattern):
        """Those lines of all daemons that match."""
        return [line for daemon in self.daemons for line in list(daemon.lines) if re.search(pattern, line)]


class Watch:
    """How long this program has stood still at most while it would have run. All lines pass through it: on a machine that
    leaves it nothing for seconds, silence says nothing of the pool."""

    EVERY_S = 0.05

    def __init__(self):
        self.over, self.longest = threading.Event(), 0.0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        last = time.monotonic()
        while not self.over.wait(self.EVERY_S):
            now = time.monotonic()
            self.longest, last = max(self.longest, now - last - self.EVERY_S), now

    def end(self):
        self.over.set()
        self.thread.join()
        return self.longest


def stand_still(store, over, every_s, for_s):
    """Until `over`: the store works for a while, and stands still for a while."""
    while for_s and not over.wait(every_s - for_s):
        store.send_signal(signal.SIGSTOP)
        over.wait(for_s)
        store.send_signal(signal.SIGCONT)


def progress(line):
    """Tells on the terminal how far the job is."""
    news = json.loads(line)
    if sys.stderr.isatty() and "settled" in news:
        print(f"\r{news['settled']} items settled", end="", file=sys.stderr)


def run_job(pool, args):
    """Exit code, the last line of --json, what it complained about, and its seconds."""
    over = threading.Event()
    pauses = threading.Thread(target=stand_still, args=(pool.stores[-1], over, args.every, args.stop))
    pauses.start()
    try:
        run = pool.begin_run("--llm_name", args.model, "--tasks", TASK, "--limit", str(args.items), "--redundancy",
                             str(VOTES), "--json", heed_printed=progress)
        code, printed, complaints = run.end(args.longest)
    finally:
        over.set()
        pauses.join()
    return code, json.loads((printed.splitlines() or ["{}"])[-1]), complaints, run.seconds


def accuracy(last):
    return last.get("results", {}).get("results", {}).get(TASK, {}).get("acc,none")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bin_dir")
    parser.add_argument("model", help="a folder with a model, which nobody loads")
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--stop", type=float, default=4, help="how long a store stands still, in seconds; 0: never")
    parser.add_argument("--every", type=float, default=15, help="how often, in seconds")
    parser.add_argument("--longest", type=float, default=1800, help="after so many seconds the job counts as stuck")
    args = parser.parse_args()
    if not 1 <= args.items <= ITEMS or args.workers < VOTES or not 0 <= args.stop < args.every:
        parser.error(f"1 to {ITEMS} items, {VOTES} workers or more, and a store that works in between")

    pool = LargePool(args.bin_dir, args.workers)
    watch = Watch()
    try:
        code, last, complaints, seconds = run_job(pool, args)
        given_up, left_out = pool.said(GIVEN_UP), pool.said(LEFT_OUT)
        starved = watch.end()
        opened = [relay.carried for relay in pool.relays]
    finally:
        pool.close()

    flights = pool.flights
    most = max(flight.most for flight in flights.values())
    print(f"{args.items} items of 3 kB, {VOTES} votes each, {args.workers} workers, 2 stores: {seconds:.1f} s")
    for name, flight in flights.items():
        print(f"{name:12} {flight.most / 1024:6.1f} KiB at most on their way to a store; {flight.records} records, "
              f"{flight.again} said again")
    print(f"{len(given_up)} lines given up, {sum(opened) - len(opened)} opened again, {len(left_out)} times left out")
    for line in [*given_up, *left_out, *([] if code == 0 else complaints.splitlines())][:SHOWN]:
        print(f"  {line}")
    print(f"this program, through which all lines pass, stood still for {starved:.2f} s at most"
          + ("; the machine is too busy for this bench" if starved > TOO_BUSY_S else ""))
    # Every request is answered alike, so the first choice is taken: it is right for each fourth item.
    right = -(-args.items // 4) / args.items
    checks = {
        "the job is done": code == 0,
        "its numbers are those of the answers": accuracy(last) is not None and abs(accuracy(last) - right) < 1e-9,
        "no line was given up": not given_up and all(count == 1 for count in opened),
        "nothing was left out on a line": not left_out,
        "every line could be read": not any(flight.unread for flight in flights.values()),
        "every vote and every settled item was put into both stores":
            sum(flight.records for flight in flights.values()) >= 2 * (VOTES + 1) * args.items,
        f"no more than {WINDOW_BYTES >> 10} KiB were on their way to a store": 0 < most <= WINDOW_BYTES,
    }
    for words, holds in checks.items():
        if not holds:
            print(f"FAILED: {words}")
    print(f"{sum(checks.values())} passed, {len(checks) - sum(checks.values())} failed")
    return 0 if all(checks.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
