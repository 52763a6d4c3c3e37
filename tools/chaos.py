#!/usr/bin/env python3
"""Runs a real pool on loopback and hurts it: kill -9, SIGSTOP, restarts, wiped folders, torn files, full
disks, cut and slow lines. Jobs follow one another all the while. Looks at it from outside: every table is
the right one, no accepted job is lost, nothing that all stores of the view held disappears while one of
them lives. Ends with how soon lost processes were noticed and a histogram of recovery times.

The plan follows from --seed; what the pool makes of it does not. Every node's line passes through a small
relay of this program, which cuts and delays it: that needs no privileges, as network namespaces would."""
import argparse
import contextlib
import json
import math
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests"))
from pool.evaluation import scores_alone  # noqa: E402
from pool.processes import Pool  # noqa: E402
from pool.waiting import eventually, until  # noqa: E402

TASK, ITEMS = "tinyMMLU", 60
WORKERS = 7
# Kind: (how often, the longest it lasts, in seconds).
KINDS = {"kill": (6, 8), "stop": (3, 14), "cut": (3, 14), "slow line": (2, 10), "blip": (2, 0), "wipe": (2, 6),
         "tear": (2, 4), "full disk": (2, 12), "all stores": (1, 4)}
OF_A_STORE = {"wipe", "tear", "full disk"}


class Node:
    """A daemon, what survives it, and the line it speaks over."""

    def __init__(self, pool, name, role, *arguments):
        self.pool, self.name, self.role, self.arguments = pool, name, role, arguments
        self.state = pool.path(name)
        self.relay = None if name == "server" else pool.relay()
        self.daemon, self.ails = None, set()
        self.machine = None  # Its id, as it last said.

    def start(self):
        self.daemon = self.pool.start(self.role, *self.arguments, state=self.state, port=self.relay and self.relay.port,
                                      log=self.state + ".log", heed=self.hear, env={"TZ": "UTC"})

    def hear(self, line):
        if found := re.search(r"machine ([0-9a-f]{16}) \(", line):
            self.machine = found[1]

    def alive(self):
        return self.daemon is not None and self.daemon.alive()


class ChaosPool(Pool):
    def __init__(self, bin_dir):
        super().__init__(bin_dir, "chaos")
        self.started = time.monotonic()
        self.printing = threading.Lock()
        self.nodes = {}
        self.add("server", "server")
        for name in ("c1", "c2"):
            self.add(name, "coordinator")
        for number in range(1, WORKERS + 1):
            self.add(f"w{number}", "worker", "--threads", "1", "--owner", f"owner-{number}")

    def add(self, name, role, *arguments):
        self.nodes[name] = Node(self, name, role, *arguments)

    def begin(self):
        """The coordinators first: the server is told which machines they are."""
        for name in ("c1", "c2"):
            self.nodes[name].start()
            eventually(lambda: self.nodes[name].machine, f"{name} does not say which machine it is")
            self.nodes["server"].arguments += ("--coordinator", self.nodes[name].machine)
        for node in self.nodes.values():
            if not node.alive():
                node.start()

    def say(self, who, what):
        with self.printing:
            print(f"{time.monotonic() - self.started:6.1f} s  {who:10} {what}", flush=True)

    def ask(self, *arguments):
        """The JSON lines of a command; None when the pool does not answer."""
        try:
            done = self.muster(*arguments, "--json", seconds=20)
        except subprocess.TimeoutExpired:
            return None
        return [json.loads(line) for line in done.stdout.splitlines()] if done.returncode == 0 else None

    def status(self):
        lines = self.ask("status")
        return lines[0] if lines else None

    def stores(self, status):
        """The nodes that are members of the view; None while it is not whole."""
        if status is None or status["copies"] != status["copies_wanted"]:
            return None
        names = [m["machine"] for m in status["machines"] if re.match(r"storage\b", m["state"])]
        of = {node.machine: node for node in self.nodes.values()}  # As they are now: a wiped folder is a new machine.
        found = [of[name] for name in names if name in of]
        return found if len(found) == status["copies_wanted"] else None

    def close(self):
        self.stop()
        super().close()


class Verdict:
    """What was found wrong, and what was measured."""

    def __init__(self):
        self.wrong, self.jobs, self.faults, self.records = [], 0, 0, 0
        self.noticed = {"closed line": [], "silence": []}
        self.recovered = {"answers flow again": [], "two copies again": []}


class Researchers(threading.Thread):
    """One job after the other, each compared with what one process alone gives."""

    def __init__(self, pool, args, verdict, expected):
        super().__init__(daemon=True)
        self.pool, self.args, self.verdict, self.expected = pool, args, verdict, expected
        self.ending, self.accepted, self.moved_at = threading.Event(), set(), time.monotonic()
        self.settled = 0  # Items of the job that runs.

    def run(self):
        while not self.ending.is_set():
            self.one_job()

    def one_job(self):
        self.settled = 0
        job = self.pool.begin_run("--llm_name", self.args.model, "--tasks", TASK, "--limit", str(ITEMS), "--force", "--json",
                                  heed_printed=self.hear)
        code, _, _ = job.end(seconds=None)
        if code in (69, 75):  # Nobody there to take it; asked again.
            time.sleep(0.5)
        elif code != 0 and not self.ending.is_set():
            self.wrong(f"a job ended with exit code {code}: {job.lines[-1] if job.lines else ''}")
        elif code == 0:
            self.check(json.loads(job.printed[-1])["results"])

    def hear(self, line):
        news = json.loads(line)
        if news["type"] == "accepted":
            self.accepted.add(news["job"])
        if news["type"] == "progress" and news["settled"] > self.settled:
            self.settled, self.moved_at = news["settled"], time.monotonic()

    def check(self, results):
        got = results["results"][TASK]
        got = got["acc,none"], got["acc_norm_raw,none"]
        if got != self.expected:
            self.wrong(f"a table says {got}, one process alone {self.expected}")
        self.verdict.jobs += 1
        self.moved_at = time.monotonic()

    def wrong(self, what):
        self.verdict.wrong.append(what)
        self.pool.say("WRONG", what)


class Ledger:
    """Which records all stores of a whole view held at once: they are acknowledged, or as good as."""

    def __init__(self, pool, verdict):
        self.pool, self.verdict, self.known, self.lost = pool, verdict, {}, set()

    @staticmethod
    def records(node, run):
        try:
            with contextlib.closing(sqlite3.connect(f"file:{node.state}/records.db?mode=ro", uri=True, timeout=2)) as db:
                return {row[0] for row in db.execute("SELECT digest FROM record WHERE job = ? AND run = ?", run)}
        except sqlite3.Error:
            return None

    def look(self):
        """Compares with what was seen before; says whether the view was whole and stood still."""
        before = self.pool.status()
        stores = self.pool.stores(before)
        if stores is None or any(node.ails & OF_A_STORE for node in stores):
            return False
        for job in before["jobs"]:
            self.look_at((job["job"], job["run"]), stores)
        return True

    def look_at(self, run, stores):
        held = [self.records(node, run) for node in stores]
        after = self.pool.status()
        same = self.pool.stores(after) == stores and any((job["job"], job["run"]) == run for job in after["jobs"])
        if None in held or not same:
            return
        missing = self.known.get(run, set()) - set.union(*held) if run not in self.lost else set()
        if missing:
            self.verdict.wrong.append(f"{len(missing)} acknowledged records of job {run[0]} run {run[1]} are gone")
            self.pool.say("WRONG", self.verdict.wrong[-1])
        self.known.setdefault(run, set()).update(set.intersection(*held))
        self.verdict.records = sum(len(records) for records in self.known.values())

    def forget(self):
        """Every store is lost at once: nobody is held to what they had."""
        self.lost |= set(self.known)


class Chaos:
    """Strikes, as the seed has drawn it, and mends."""

    def __init__(self, pool, seed, verdict, ledger, researchers):
        self.pool, self.verdict, self.ledger, self.researchers = pool, verdict, ledger, researchers
        self.draw = random.Random(seed)
        self.timers = []

    def strike(self):
        kind = self.draw.choices(list(KINDS), [often for often, _ in KINDS.values()])[0]
        lasts = self.draw.uniform(0, KINDS[kind][1])
        target = self.draw.choice(list(self.pool.nodes))
        which = self.draw.random()
        stores = self.pool.stores(self.pool.status())
        if kind == "all stores":
            return self.strike_all(stores, lasts)
        node = self.pool.nodes[target]
        if kind in OF_A_STORE:
            node = stores[int(which * len(stores))] if stores else None
        if node is None or node.ails or not node.alive() or not self.may_strike(node, kind, stores):
            return
        self.begin(node, kind, lasts)

    def may_strike(self, node, kind, stores):
        """A store is struck only while another one is whole: losing both loses what was acknowledged."""
        if node.relay is None and kind not in ("kill", "stop"):
            return False
        if not node.name.startswith("w"):
            return True
        return stores is not None and (node not in stores or not any(n.ails for n in stores))

    def begin(self, node, kind, lasts):
        self.verdict.faults += 1
        node.ails.add(kind)
        self.pool.say(node.name, f"{kind.upper()} for {lasts:.1f} s")
        at = time.time()
        getattr(self, "do_" + kind.replace(" ", "_"))(node)
        self.expect_notice(node, kind, at, lasts)
        if kind in OF_A_STORE or kind == "kill" or lasts > 8:
            threading.Thread(target=self.time_recovery, args=(node, kind), daemon=True).start()
        timer = threading.Timer(lasts, self.end, (node, kind))
        timer.start()
        self.timers.append(timer)

    def strike_all(self, stores, lasts):
        if not stores or any(node.ails for node in stores):
            return
        self.ledger.forget()
        for node in stores:
            self.begin(node, "wipe", lasts)

    def do_kill(self, node):
        node.daemon.kill()

    def do_stop(self, node):
        node.daemon.send_signal(signal.SIGSTOP)

    def do_cut(self, node):
        node.relay.cut()

    def do_slow_line(self, node):
        node.relay.delay = self.draw.uniform(0.05, 0.5)

    def do_blip(self, node):
        node.relay.blip()

    def do_wipe(self, node):
        node.daemon.kill()
        shutil.rmtree(node.state, ignore_errors=True)

    def do_tear(self, node):
        node.daemon.kill()
        path = os.path.join(node.state, "records.db")
        with contextlib.suppress(OSError), open(path, "r+b") as file:
            size = os.path.getsize(path)
            for _ in range(8):
                file.seek(self.draw.randrange(max(1, size)))
                file.write(bytes(self.draw.randrange(256) for _ in range(64)))

    def do_full_disk(self, node):
        """None of its files may grow: that is how a full disk looks to a process."""
        resource.prlimit(node.daemon.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    def end(self, node, kind):
        if self.researchers.ending.is_set():
            return  # Of an interrupted run: the pool is being closed.
        if kind in ("kill", "wipe", "tear"):
            node.start()
        elif kind == "stop":
            node.daemon.send_signal(signal.SIGCONT)
        elif kind == "cut":
            node.relay.mend()
        elif kind == "slow line":
            node.relay.delay = 0.0
        elif kind == "full disk" and node.alive():
            resource.prlimit(node.daemon.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        node.ails.discard(kind)

    def expect_notice(self, node, kind, at, lasts):
        how = {"kill": "closed line", "wipe": "closed line", "tear": "closed line"}.get(kind)
        if kind in ("stop", "cut") and lasts > 10:
            how = "silence"
        if how and node.name != "server" and node.machine:
            threading.Thread(target=self.time_notice, args=(node.machine[:8], how, at), daemon=True).start()

    def time_notice(self, machine, how, at):
        """When the server's own log says so, unless the server itself was hurt or gone meanwhile."""
        server = self.pool.nodes["server"]
        life = server.daemon
        time.sleep(11)
        if server.daemon is not life or server.ails or self.researchers.ending.is_set():
            return
        for line in list(life.lines):
            if match := re.match(rf"(\d\d):(\d\d):(\d\d\.\d+).*(?:machine|storage node) {machine} is gone", line):
                day = at - at % 86400
                said = day + int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
                if at - 0.05 <= said <= at + 11:
                    return self.verdict.noticed[how].append(max(0.0, said - at))

    def time_recovery(self, node, kind):
        begun = time.monotonic()

        def whole_without_it():
            stores = self.pool.stores(self.pool.status())
            return stores is not None and (node not in stores or not node.ails)

        if self.wait_until(lambda: self.researchers.moved_at > begun):
            self.verdict.recovered["answers flow again"].append(time.monotonic() - begun)
        if kind in OF_A_STORE and self.wait_until(whole_without_it):
            self.verdict.recovered["two copies again"].append(time.monotonic() - begun)

    def wait_until(self, holds, seconds=120):
        ending = self.researchers.ending
        return bool(until(lambda: ending.is_set() or holds(), seconds, every_s=0.1)) and not ending.is_set()

    def mend(self):
        for timer in self.timers:
            timer.cancel()
        for node in self.pool.nodes.values():
            for kind in list(node.ails):
                self.end(node, kind)
            if not node.alive():
                node.start()


def histogram(title, seconds):
    edges = [0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120]
    print(f"{title}: {len(seconds)} times" + (f", median {sorted(seconds)[len(seconds) // 2]:.1f} s, "
          f"longest {max(seconds):.1f} s" if seconds else ""))
    low = 0.0
    for edge in edges:
        count = sum(1 for s in seconds if low <= s < edge)
        if count:
            print(f"  {low:5.1f} to {edge:5.1f} s  {'#' * count} {count}")
        low = edge


def report(verdict):
    for how, limit in (("closed line", 1.0), ("silence", 10.0)):
        times = verdict.noticed[how]
        print(f"noticed by {how}: {len(times)} times" + (f", longest {max(times):.2f} s (limit {limit:.0f} s)" if times
                                                         else ""))
        if times and max(times) > limit:
            verdict.wrong.append(f"a {how} was noticed after {max(times):.2f} s")
    for title, seconds in verdict.recovered.items():
        histogram(title, seconds)
    for what in verdict.wrong:
        print(f"WRONG: {what}")
    print(f"{verdict.faults} faults, {verdict.records} acknowledged records watched")
    print(f"{verdict.jobs} passed, {len(verdict.wrong)} failed")


def hurt(pool, args, verdict, researchers):
    ledger = Ledger(pool, verdict)
    chaos = Chaos(pool, args.seed, verdict, ledger, researchers)
    end = time.monotonic() + args.minutes * 60
    while time.monotonic() < end:
        chaos.strike()
        pause = time.monotonic() + chaos.draw.uniform(1, 5)
        while time.monotonic() < min(pause, end):
            ledger.look()
            time.sleep(0.3)
    chaos.mend()
    pool.say("chaos", "everything is mended; what runs must end")
    done = verdict.jobs
    if not chaos.wait_until(lambda: verdict.jobs > done + 1 or verdict.wrong, seconds=180):
        verdict.wrong.append("no job ended within 180 s of the mending")
    if not chaos.wait_until(ledger.look, seconds=60):
        verdict.wrong.append("the view was not whole 60 s after that")
    listed = {job["job"] for job in pool.ask("jobs") or []}
    for job in researchers.accepted - listed:
        verdict.wrong.append(f"job {job} was accepted and is not there any more")


def main():
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--keep_logs", action="store_true", help="copy the processes' logs to build/chaos")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    verdict, pool = Verdict(), ChaosPool(args.bin)
    researchers = Researchers(pool, args, verdict, scores_alone(args.model, TASK, ITEMS, args.bin))
    try:
        pool.begin()
        until(lambda: pool.stores(pool.status()), seconds=math.inf, every_s=0.2)
        pool.say("chaos", f"the pool is up: {WORKERS} workers, two of them store; seed {args.seed}")
        researchers.start()
        hurt(pool, args, verdict, researchers)
    except KeyboardInterrupt:
        print("\nchaos: stopping", file=sys.stderr)
        return 130
    finally:
        researchers.ending.set()
        if args.keep_logs:
            shutil.rmtree("build/chaos", ignore_errors=True)
            shutil.copytree(pool.folder, "build/chaos", ignore=lambda _, names: [n for n in names if ".log" not in n])
        pool.close()
    report(verdict)
    return 1 if verdict.wrong or verdict.jobs == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
