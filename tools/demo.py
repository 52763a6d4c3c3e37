#!/usr/bin/env python3
"""Scenario 1 of the manual on one machine: a server, workers (two turn into storage), a
coordinator, and a researcher's `muster run`. Tells what happens, ends with the table and the time,
and leaves no process and no file behind. With --faults also scenario 2, on a pool of its own: a worker,
the coordinator and a storage node are killed on the way, and the same table arrives."""
import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time


class Pool:
    """The processes of a pool, and their stories, told with names instead of ids."""

    def __init__(self, bin_dir, folder, port, threads):
        self.muster = os.path.abspath(os.path.join(bin_dir, "muster"))
        self.folder, self.port, self.threads = folder, port, threads
        self.processes, self.names, self.events = [], {}, []
        self.changed = threading.Condition()
        self.started = time.monotonic()
        self.printing, self.seen, self.stopping = threading.Lock(), set(), False
        self.killed = set()  # Processes that this program killed itself.

    def start(self, name, *arguments):
        command = [self.muster, *arguments, "--port", str(self.port),
                   "--state_dir", os.path.join(self.folder, name.replace(" ", "-"))]
        log = os.path.join(self.folder, name.replace(" ", "-") + ".log")
        with open(log, "w") as out:  # A file, not a pipe: a pool that is kept outlives this program.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=out,
                                       start_new_session=True)
        self.processes.append((name, process))
        threading.Thread(target=self.listen, args=(name, process, log), daemon=True).start()

    def listen(self, name, process, log):
        for line in follow(process, log):
            # "12:00:00.000 worker: machine 0123456789abcdef (auto)"
            text = line.rstrip("\n").split(": ", 1)[-1]
            if match := re.match(r"machine ([0-9a-f]{16}) \(", text):
                self.names[match[1][:8]] = name
            with self.changed:
                self.events.append((name, text))
                self.changed.notify_all()
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
        return sum(int(m[1]) for _, text in list(self.events)
                   if (m := re.match(r"storage: (\d+) records of [0-9a-f]+ stored", text)))

    def wait_for(self, name, pattern, count=1, seconds=30, since=0):
        """Waits until `count` lines of the process called `name` match; `since`: events to pass over."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while sum(1 for who, text in self.events[since:] if who == name and re.search(pattern, text)) < count:
                self.check_alive()
                if not self.changed.wait(min(1, max(0, deadline - time.monotonic()))) and time.monotonic() >= deadline:
                    sys.exit(f"demo: {name} did not say '{pattern}' in {seconds} s")

    def kill(self, name):
        """As when somebody pulls the plug of the process: SIGKILL."""
        process = next(process for who, process in reversed(self.processes) if who == name)
        self.killed.add(process)
        process.kill()
        process.wait()
        self.say(name, "IS KILLED")
        return process

    def check_alive(self):
        for name, process in self.processes:
            if process not in self.killed and process.poll() not in (None, 0):
                sys.exit(f"demo: the {name} ended with exit code {process.returncode}")

    def stop(self):
        self.stopping = True
        for _, process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
        for _, process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def follow(process, log):
    """The lines of a log as they come, until its process has ended."""
    with open(log) as lines:
        rest = ""
        while True:
            ended = process.poll() is not None
            rest += lines.read()
            *whole, rest = rest.split("\n")
            yield from whole
            if ended:
                return
            time.sleep(0.05)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def flags():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--model", required=True, help="a model directory or ORG/NAME")
    parser.add_argument("--limit", default="25", help="items of each task")
    parser.add_argument("--tasks", default="tinyMMLU,tinyHellaswag")
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--faults", action="store_true", help="scenario 2 too: the run through three failures")
    parser.add_argument("--keep", action="store_true", help="leave the pool up")
    return parser.parse_args()


def gather(pool, workers):
    """The manual's steps 1 to 4: workers join one after the other, then the coordinator."""
    pool.start("server", "server")
    pool.wait_for("server", "serving on")
    for number in range(1, workers + 1):
        name = f"worker {number}"
        pool.start(name, "worker", "--threads", str(pool.threads), "--owner", f"owner-{number}")
        pool.wait_for(name, "connected")
        if number <= 2:
            pool.wait_for("server", "holds a copy", count=number)
        elif number == 3:
            pool.say("worker 3", "is not needed for storage: two are there; it waits for work")
    pool.start("coordinator", "coordinator")
    pool.wait_for("coordinator", "connected")


def ask(pool, args, **pipes):
    pool.say("researcher", f"muster run --llm_name {os.path.basename(args.model)} --tasks {args.tasks} --limit {args.limit}")
    command = [pool.muster, "run", "--llm_name", args.model, "--tasks", args.tasks,
               "--limit", args.limit, "--port", str(pool.port)]
    return subprocess.Popen(command, **pipes)


class Researcher:
    """A `muster run` whose terminal is read along: its table, its time, and what it is told."""

    def __init__(self, pool, args):
        self.pool, self.table = pool, ""
        self.begun = time.monotonic()
        self.process = ask(pool, args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.threads = [threading.Thread(target=read, daemon=True) for read in (self.read_table, self.read_news)]
        for thread in self.threads:
            thread.start()

    def read_table(self):
        self.table = self.process.stdout.read()

    def read_news(self):
        for line in self.process.stderr:
            with self.pool.changed:
                self.pool.events.append(("researcher", line.strip()))
                self.pool.changed.notify_all()
            self.pool.say("researcher", line.strip())

    def wait(self):
        """Exit code and seconds, once the table is there."""
        code = self.process.wait()
        for thread in self.threads:
            thread.join()
        return code, time.monotonic() - self.begun


def undisturbed(pool, args, runs):
    gather(pool, args.workers)
    runs.append(Researcher(pool, args))
    return runs[-1].wait()


def three_failures(pool, args, runs):
    """The manual's scenario 2. Returns exit code, seconds, and the seconds without a coordinator."""
    gather(pool, args.workers)
    run = Researcher(pool, args)
    runs.append(run)
    victim = f"worker {args.workers}"
    pool.wait_for(victim, r"^lease \d+: ", seconds=120)
    pool.kill(victim)
    pool.wait_for("server", "is gone: its line closed")

    began = time.monotonic()
    pool.kill("coordinator")
    pool.wait_for("researcher", "coordinator lost, waiting")
    since = len(pool.events)
    pool.start("coordinator", "coordinator")
    pool.wait_for("coordinator", "taking over", since=since)
    away = time.monotonic() - began
    pool.say("coordinator", "recognises the request: what was stored counts, and no machine is asked for anew")

    stored = pool.stored_answers()
    while pool.stored_answers() <= stored and run.process.poll() is None:
        time.sleep(0.1)
    since = len(pool.events)
    pool.kill("worker 2")
    pool.wait_for("server", "storage node .* is down and leaves the view", seconds=60, since=since)
    pool.wait_for("server", "becomes a storage node", seconds=60, since=since)
    return *run.wait(), away


def compare(args, calm, calm_seconds, hurt, hurt_seconds, away):
    """The same table, and no more time lost than the failures account for."""
    print(hurt.table, end="")
    same = calm.table == hurt.table
    print("the table is " + ("the one of the undisturbed run" if same else "NOT the one of the undisturbed run:"))
    if not same:
        print(calm.table, end="")
    computing = max(1, args.workers - 2)
    detection, lease = 1 + 1 + 10, 10  # Two closed lines, one silence; the longest time to a lease's end.
    limit = calm_seconds * computing / max(1, computing - 1) + away + detection + lease
    print(f"undisturbed {calm_seconds:.0f} s; through three failures {hurt_seconds:.0f} s, at most {limit:.0f} s expected "
          f"({computing} workers, then {computing - 1}; {away:.1f} s without a coordinator)")
    return same and hurt_seconds <= limit


def faults(args, threads):
    pools, runs = [], []

    def fresh_pool(title):
        print(f"---- {title}")
        folder = tempfile.mkdtemp(prefix="muster-demo-")
        pools.append(Pool(args.bin, folder, free_port(), threads))
        return pools[-1]

    def end(pool):
        pool.stop()
        shutil.rmtree(pool.folder, ignore_errors=True)

    try:
        code, calm_seconds = undisturbed(fresh_pool("undisturbed"), args, runs)
        end(pools[-1])
        if code != 0:
            return code
        code, hurt_seconds, away = three_failures(fresh_pool("three failures"), args, runs)
        if code != 0:
            return code
        return 0 if compare(args, runs[0], calm_seconds, runs[1], hurt_seconds, away) else 1
    except KeyboardInterrupt:
        print("\ndemo: stopping", file=sys.stderr)
        return 130
    finally:
        for run in runs:
            if run.process.poll() is None:
                run.process.kill()
                run.process.wait()
        for pool in pools:
            end(pool)


def main():
    args = flags()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    threads = max(1, (os.cpu_count() or 1) // max(1, args.workers - 2))
    if args.faults:
        if args.workers < 5:
            sys.exit("demo: --faults wants 5 workers or more: two store, one is killed, two go on")
        return faults(args, threads)
    return flawless(args, threads)


def flawless(args, threads):
    begun = time.monotonic()
    folder = tempfile.mkdtemp(prefix="muster-demo-")
    pool = Pool(args.bin, folder, free_port(), threads)
    run, keep = None, False
    try:
        gather(pool, args.workers)
        run = ask(pool, args)
        code = run.wait()
        pool.say("storage", f"{pool.stored_answers()} records were stored, counting every copy")
        print(f"the demo took {time.monotonic() - begun:.0f} s")
        keep = args.keep and code == 0
        if keep:
            pids = " ".join(str(process.pid) for _, process in pool.processes)
            print(f"\nThe pool is up. Use it:   MUSTER_SERVER=127.0.0.1:{pool.port} {pool.muster} status\n"
                  f"Stop it:                  kill {pids} && sleep 3 && rm -rf {folder}")
        return code
    except KeyboardInterrupt:
        print("\ndemo: stopping", file=sys.stderr)
        return 130
    finally:
        if not keep:
            if run is not None and run.poll() is None:
                run.kill()
                run.wait()
            pool.stop()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
