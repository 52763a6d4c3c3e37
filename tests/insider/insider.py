"""What the tests with insiders share: an honest pool whose work can be held back, a job that runs while something is
done to it, and the two things that every row asks: is the table the honest one, and is the rogue named?"""
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

import rogue  # noqa: E402
import wire  # noqa: E402
from pool import evaluation  # noqa: E402
from pool.processes import Run  # noqa: E402
from pool.programs import ENGINE, MUSTER, NEOX  # noqa: E402
from pool.stand_in_engine import StandInEngine  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import WAIT_S, eventually, until  # noqa: E402

REFUSED = "refused"  # How a machine is named that said what it may not.
TASK, ITEMS = "tinyHellaswag", 5  # Whoever lies makes every answer right, which none of them is honestly.


class Job(Run):
    """`muster run --json` in the background."""

    def end(self, seconds=WAIT_S):
        """The code, what it printed last, and what it complained about."""
        code, _, complaints = super().end(seconds)
        return code, json.loads((self.printed or ["{}"])[-1]), complaints

    def table(self):
        """Values, and whether all items had the votes that were wanted: what must be as in the undisturbed run. A
        failure in words otherwise."""
        code, last, err = self.end()
        if code != 0:
            return f"exit code {code}: {err.strip().splitlines()[-1:]}"
        results, muster = last["results"]["results"], last["results"]["muster"]
        values = {task: {name: value for name, value in of.items() if name != "alias"} for task, of in results.items()}
        return values, {task: votes["least"] >= votes["wanted"] for task, votes in muster["votes"].items()}


class InsiderTest(PoolTest):
    """A pool of two stores, `COMPUTE` machines that compute and a coordinator. The computing ones have stand-in
    engines, so that `self.scores` and `self.loads` hold back their work."""

    COMPUTE = 2

    insecure = True

    def setUp(self):
        super().setUp()
        self.computing_program = self.path("bin", "muster")
        os.mkdir(self.path("bin"))
        shutil.copy2(MUSTER, self.computing_program)
        StandInEngine.install(self.path("bin"))
        self.stand_ins = 0
        self.engines = self.stand_in()
        self.engines.say_progress()
        self.scores, self.loads = self.engines.scores, self.engines.loads

    def stand_in(self):
        """Engines of their own for some workers, which nothing holds back."""
        self.stand_ins += 1
        return StandInEngine(self.path(f"engines-{self.stand_ins}"), real=ENGINE)

    # The honest pool.

    def start_server(self, *flags, **more):
        self.server = self.start("server", *flags, **more)
        self.server.wait_for("serving on")

    def start_store(self, *flags, **more):
        return self.join("worker", "--role", "storage", *flags, **more)

    def start_computer(self, *flags, engines=None, env=None, **more):
        """A worker that computes, with a stand-in engine: one of `self.engines` unless it has others."""
        return self.join("worker", "--role", "compute", "--threads", "1", *flags, program=self.computing_program,
                         env={**(engines or self.engines).env, **(env or {})}, **more)

    def join(self, *arguments, **more):
        daemon = self.start(*arguments, **more)
        daemon.wait_for("connected to the server")
        daemon.machine = next(re.search(r"machine ([0-9a-f]{16})", line)[1] for line in daemon.lines if "machine " in line)
        return daemon

    def start_honest_pool(self, stores=2, compute=None, coordinator=True, flags=()):
        self.start_server(*flags)
        self.stores = [self.start_store() for _ in range(stores)]
        self.computers = [self.start_computer() for _ in range(self.COMPUTE if compute is None else compute)]
        if stores == 2:
            self.server.wait_for("copies 2 of 2")
        if coordinator:
            self.coordinator = self.join("coordinator")

    # Jobs.

    def begin_job(self, *arguments, model=NEOX, limit=ITEMS, port=None, env=None):
        limits = ["--limit", str(limit)] if limit else []
        words = ["--llm_name", model, "--tasks", TASK, *limits, "--force", *arguments]
        return self.begin_run("--json", *words, port=port, env=env, kind=Job)

    def undisturbed(self, **more):
        """The honest table, from this pool before anything is done to it."""
        job = self.begin_job(**more)
        table = job.table()
        self.assertIsInstance(table, tuple, table)
        self.undisturbed_s = job.seconds
        return table

    def begin_held_job(self, **more):
        """A job whose leases are out and not answered: it waits for `self.scores.open()`."""
        self.scores.close()
        job = self.begin_job(**more)
        before = self.coordinator.count(r"lease \d+ to")
        self.coordinator.wait_for(r"lease \d+ to", count=before + self.COMPUTE)
        job.row = self.running_job()
        job.key = wire.envelope.JobKey(job=job.row.job, run=job.row.run, epoch=job.row.epoch)
        return job

    def running_job(self):
        return eventually(self.researcher().running, "no job is running")[0]

    # Rogues and what is known of them.

    def add(self, node):
        self.addCleanup(node.leave)
        return node

    def rogue(self, kind=rogue.Rogue, *arguments, **more):
        return self.add(kind(self.port, *arguments, **more)).wait_joined(WAIT_S)

    def researcher(self):
        return self.add_researcher(rogue.Researcher(self.port))

    def add_researcher(self, researcher):
        self.addCleanup(researcher.close)
        return researcher

    def why(self, what):
        done = self.muster("why", what, "--json")
        return json.loads(done.stdout) if done.returncode == 0 else {"now": done.stderr, "reasons": []}

    def in_status(self, machine):
        done = self.muster("status", "--json")
        machines = json.loads(done.stdout)["machines"] if done.returncode == 0 else []
        entry = next((entry for entry in machines if entry["machine"] == machine), {})
        return json.dumps({name: value for name, value in entry.items() if value})

    def is_named(self, machine, words):
        """Whether `muster why MACHINE` says so of it; a refusal is in `muster status`, too, while its line is open."""
        why = self.why(machine)
        said = " ".join([why["now"], *(reason["text"] for reason in why["reasons"])])
        status = self.in_status(machine)
        return bool(re.search(words, said) and (words != REFUSED or status == "{}" or re.search(words, status)))

    def wait_named(self, machine, words):
        """True; or, when nobody names the machine for long, what is said of it instead."""
        named = until(lambda: self.is_named(machine, words))
        return named or f"not named: why says {self.why(machine)}, status {self.in_status(machine)}"[:1000]

    def assert_honest(self, job, table, *nodes, words=REFUSED):
        """The rogues are named, the job goes on and ends with the honest table, and every honest process lives. All
        is looked at, so that a failure tells the whole of what happened."""
        named = [self.wait_named(node.machine, words) for node in nodes]
        self.scores.open()
        found = self.outcome(job), named, self.harmed()
        self.assertEqual(found, (table, [True] * len(nodes), []))
        print(f"{self.id()}: undisturbed {self.undisturbed_s:.1f} s, here {job.seconds:.1f} s")

    @staticmethod
    def outcome(job):
        try:
            return job.table()
        except AssertionError as error:
            return str(error)

    def harmed(self):
        """What honest processes said that died, or lost their line by something else than silence (which a machine
        that computes too much at once brings about by itself)."""
        return self.ended() + [line for daemon in self.daemons if not self.was_silent(daemon)
                               for line in list(daemon.lines) if "is lost (" in line]

    def was_silent(self, daemon):
        silence = "nothing was heard"
        machine = getattr(daemon, "machine", "")[:8]
        return any(silence in line for line in list(daemon.lines)) or any(
            silence in line and machine in line for line in list(self.server.lines) if machine)

    def ended(self):
        return [" ".join(daemon.lines[-3:]) for daemon in self.daemons if not daemon.alive()]

    def quarantined(self):
        machines = json.loads(self.muster("status", "--json").stdout)["machines"]
        return [entry["machine"] for entry in machines if entry["quarantined"]]


def questions(items=ITEMS):
    """The requests of each item of TASK, as (context, continuation) pairs, and which of them is right."""
    pairs = [[(context, one) for one in choices] for context, choices in evaluation.items(TASK, items)]
    return pairs, evaluation.gold(TASK, items)


def lie(choices, right):
    """Responses to one item that make the right choice win, whatever the model says."""
    return [wire.record.Response(loglikelihood=-1.0 if i == right else -90.0, is_greedy=False, tokens=8, margin=5.0)
            for i in range(choices)]


def numeric_class():
    """Of the honest engines."""
    info = subprocess.run([ENGINE, "info", "--model", NEOX], check=True, capture_output=True, text=True).stdout
    return json.loads(info)["numeric_class"]
