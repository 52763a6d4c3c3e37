#!/usr/bin/env python3
"""Scenario 1 of the manual on one machine: a server, workers (two turn into storage), a
coordinator, and a researcher's `muster run`. Tells what happens, ends with the table and the time,
and leaves no process and no file behind. With --faults also scenario 2, on a pool of its own: a worker,
the coordinator and a storage node are killed on the way, and the same table arrives."""
import argparse
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tests"))
from pool.processes import NotSaid, Pool, free_port  # noqa: E402
from pool.waiting import until  # noqa: E402


class DemoPool(Pool):
    """A pool whose processes have names, and tell what they do with these instead of ids."""

    def __init__(self, bin_dir, threads):
        super().__init__(bin_dir, "demo")
        self.threads, self.started = threads, time.monotonic()
        self.named, self.names = {}, {}  # Processes by name; names by the first half of a machine's id.
        self.printing, self.seen, self.stopping = threading.Lock(), set(), False
        self.killed = set()  # Processes that this program killed itself.

    def begin(self, name, role, *arguments):
        state = self.path(name.replace(" ", "-"))
        # A log, since a pool that is kept outlives this program.
        daemon = self.start(role, *arguments, state=state, log=state + ".log", heed=lambda line: self.hear(name, line))
        self.named[name], daemon.name = daemon, name

    def hear(self, name, line):
        # "12:00:00.000 worker: machine 0123456789abcdef (auto)"
        text = line.split(": ", 1)[-1]
        if match := re.match(r"machine ([0-9a-f]{16}) \(", text):
            self.names[match[1][:8]] = name
        self.tell(name, text)

    def tell(self, name, text):
        dull = re.match(r"machine [0-9a-f]{16}|lease |loading |connected|lent to|job .* is (mine|over)|job .* needs this"
                        r"|storage: member|stopping", text)
        if dull or self.stopping or (name == "coordinator" and text.startswith("machine ")):
            return
        if match := re.match(r"storage: \d+ records of ([0-9a-f]{8}) stored", text):
            author = self.names.get(match[1], match[1])
            if author == "coordinator" or (name, author) in self.seen:
                return
            self.seen.add((name, author))
            text = f"the first answer of {author} is stored here"
        # A machine gets its name; a job keeps the id that the researcher sees.
        story = re.sub(r"(?:machine|worker|coordinator) ([0-9a-f]{8})\b|\b([0-9a-f]{8})\b",
                       lambda m: self.names.get(m[1] or m[2], m[0]), text)
        self.say(name, story)

    def say(self, who, text):
        with self.printing:
            print(f"{time.monotonic() - self.started:6.1f} s  {who:12} {text}", flush=True)

    def stored_answers(self):
        return sum(int(found[1]) for daemon in self.daemons for line in list(daemon.lines)
                   if (found := re.search(r": storage: (\d+) records of [0-9a-f]+ stored", line)))

    def wait_for(self, name, pattern, count=1, seconds=30):
        """Waits until `count` lines of the process called `name` match."""
        try:
            self.named[name].wait_for(pattern, count, seconds=seconds, check=self.check_alive)
        except NotSaid:
            self.check_alive()
            sys.exit(f"demo: {name} did not say '{pattern}' in {seconds} s")

    def pull_the_plug(self, name):
        """Of a process: SIGKILL."""
        self.killed.add(self.named[name])
        self.named[name].kill()
        self.say(name, "IS KILLED")

    def check_alive(self):
        for daemon in self.daemons:
            if daemon not in self.killed and daemon.process.poll() not in (None, 0):
                sys.exit(f"demo: the {daemon.name} ended with exit code {daemon.process.returncode}")

    def close(self):
        self.stopping = True
        self.stop()
        super().close()


def flags():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", required=True, help="a model directory or ORG/NAME")
    parser.add_argument("--limit", default="25", help="items of each task")
    parser.add_argument("--tasks", default="tinyMMLU,tinyHellaswag")
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--faults", action="store_true", help="scenario 2 too: the run through three failures")
    parser.add_argument("--keep", action="store_true", help="leave the pool up, with its website")
    return parser.parse_args()


def gather(pool, workers):
    """The manual's steps 1 to 4: workers join one after the other, then the coordinator."""
    pool.begin("server", "server")
    pool.wait_for("server", "serving on")
    for number in range(1, workers + 1):
        name = f"worker {number}"
        pool.begin(name, "worker", "--threads", str(pool.threads), "--owner", f"owner-{number}")
        pool.wait_for(name, "connected")
        if number <= 2:
            pool.wait_for("server", "holds a copy", count=number)
        elif number == 3:
            pool.say("worker 3", "is not needed for storage: two are there; it waits for work")
    pool.begin("coordinator", "coordinator")
    pool.wait_for("coordinator", "connected")


def ask(pool, args):
    """The words of a `muster run`, which are told."""
    pool.say("researcher", f"muster run --llm_name {os.path.basename(args.model)} --tasks {args.tasks} --limit {args.limit}")
    return ["--llm_name", args.model, "--tasks", args.tasks, "--limit", args.limit]


def begin_asking(pool, args):
    """A `muster run` whose terminal is read along: its table, its time, and what it is told."""
    run = pool.begin_run(*ask(pool, args), heed=lambda line: pool.say("researcher", line.strip()))
    pool.named["researcher"] = run
    return run


def undisturbed(pool, args):
    """The run, once it has ended, and its exit code."""
    gather(pool, args.workers)
    run = begin_asking(pool, args)
    return run, run.end(seconds=None)[0]


def three_failures(pool, args):
    """The manual's scenario 2: the run, its exit code, and the seconds without a coordinator."""
    gather(pool, args.workers)
    run = begin_asking(pool, args)
    victim = f"worker {args.workers}"
    pool.wait_for(victim, r": lease \d+: ", seconds=120)
    pool.pull_the_plug(victim)
    pool.wait_for("server", "is gone: its line closed")

    began = time.monotonic()
    pool.pull_the_plug("coordinator")
    pool.wait_for("researcher", "coordinator lost, waiting")
    pool.begin("coordinator", "coordinator")
    pool.wait_for("coordinator", "taking over")
    away = time.monotonic() - began
    pool.say("coordinator", "recognises the request: what was stored counts, and no machine is asked for anew")

    stored = pool.stored_answers()
    until(lambda: pool.stored_answers() > stored or not run.alive(), seconds=math.inf)
    patterns = "storage node .* is down and leaves the view", "becomes a storage node"
    before = [pool.named["server"].count(pattern) for pattern in patterns]
    pool.pull_the_plug("worker 2")
    for pattern, count in zip(patterns, before):
        pool.wait_for("server", pattern, count + 1, seconds=60)
    return run, run.end(seconds=None)[0], away


def compare(args, calm, hurt, away):
    """The same table, and no more time lost than the failures account for."""
    print("\n".join(hurt.printed))
    same = calm.printed == hurt.printed
    print("the table is " + ("the one of the undisturbed run" if same else "NOT the one of the undisturbed run:"))
    if not same:
        print("\n".join(calm.printed))
    computing = max(1, args.workers - 2)
    detection, lease = 1 + 1 + 10, 10  # Two closed lines, one silence; the longest time to a lease's end.
    limit = calm.seconds * computing / max(1, computing - 1) + away + detection + lease
    print(f"undisturbed {calm.seconds:.0f} s; through three failures {hurt.seconds:.0f} s, at most {limit:.0f} s expected "
          f"({computing} workers, then {computing - 1}; {away:.1f} s without a coordinator)")
    return same and hurt.seconds <= limit


def faults(args, threads):
    pools = []

    def fresh_pool(title):
        print(f"---- {title}")
        pools.append(DemoPool(args.bin, threads))
        return pools[-1]

    try:
        calm, code = undisturbed(fresh_pool("undisturbed"), args)
        pools[-1].close()
        if code != 0:
            return code
        hurt, code, away = three_failures(fresh_pool("three failures"), args)
        if code != 0:
            return code
        return 0 if compare(args, calm, hurt, away) else 1
    except KeyboardInterrupt:
        print("\ndemo: stopping", file=sys.stderr)
        return 130
    finally:
        for pool in pools:
            pool.close()


def main():
    args = flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threads = max(1, (os.cpu_count() or 1) // max(1, args.workers - 2))
    if args.faults:
        if args.workers < 5:
            sys.exit("demo: --faults wants 5 workers or more: two store, one is killed, two go on")
        return faults(args, threads)
    return flawless(args, threads)


def open_website(pool):
    """Its pages' address, once they are there."""
    address = f"127.0.0.1:{free_port()}"
    pool.begin("website", "website", "--listen", address, "--database", pool.path("server", "server.db"))
    pool.wait_for("website", "the pages are at")
    return f"http://{address}"


def flawless(args, threads):
    begun = time.monotonic()
    pool, keep = DemoPool(args.bin, threads), False
    try:
        gather(pool, args.workers)
        pages = open_website(pool) if args.keep else ""
        # At this terminal, and in its session: an interrupt reaches it, too.
        code = subprocess.call([pool.program, "run", *ask(pool, args)], env={**os.environ, **pool.address()})
        pool.say("storage", f"{pool.stored_answers()} records were stored, counting every copy")
        print(f"the demo took {time.monotonic() - begun:.0f} s")
        keep = args.keep and code == 0
        if keep:
            pids = " ".join(str(daemon.process.pid) for daemon in pool.daemons)
            print(f"\nThe pool is up. Use it:   {pool.program} status --port {pool.port} "
                  f"--token_file {pool.path('server', 'operator.token')}\n"
                  f"Look at it:               {pages}\n"
                  f"Stop it:                  kill {pids} && sleep 3 && rm -rf {pool.folder}")
        return code
    except KeyboardInterrupt:
        print("\ndemo: stopping", file=sys.stderr)
        return 130
    finally:
        if not keep:
            pool.close()


if __name__ == "__main__":
    sys.exit(main())
