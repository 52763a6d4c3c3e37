"""The pool of a test: begun with nothing in it, and ended whatever becomes of the test."""
import json
import unittest

from .fake_hub import FakeHub
from .postgres import Postgres
from .processes import Pool
from .programs import NEOX, SMOL
from .waiting import eventually


class PoolTest(unittest.TestCase, Pool):
    """A test and its pool in one, so that a row reads `self.start("server")`."""

    insecure = False  # Who says what no muster says does so without TLS.

    def setUp(self):
        Pool.__init__(self, insecure=self.insecure)
        self.addCleanup(self.close)  # Not tearDown, which would not see a setUp that fails.

    def run_job(self, *arguments, model=SMOL, env=None):
        """`muster run --json`: the lines of stdout, parsed; fails when it fails."""
        done = self.muster("run", "--llm_name", model, "--json", *arguments, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def assert_fails(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class HubPoolTest(PoolTest):
    """A pool that fetches its models from a fake Hub into a cache of its own."""

    def setUp(self):
        self.hub = FakeHub()
        self.addCleanup(self.hub.stop)
        super().setUp()
        self.env = {"HF_ENDPOINT": self.hub.url, "HF_HOME": self.path("hf"), "HF_TOKEN": "", "HF_HUB_CACHE": "",
                    "HF_HUB_OFFLINE": ""}

    def start_hub_pool(self, **env):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 2, env={**self.env, **env})

    def run_tiny(self, name="lab/tiny", *more):
        return self.muster("run", "--llm_name", name, "--tasks", "tinyHellaswag", "--limit", "2", *more)


class PostgresTest(PoolTest):
    """A pool whose state is in a PostgreSQL of its own, under a pool key."""

    def setUp(self):
        super().setUp()
        self.postgres = Postgres()
        self.addCleanup(self.postgres.close)
        self.key = self.path("pool.key")
        with open(self.key, "w") as file:
            file.write("0123456789abcdef" * 4)

    def serve(self, url=None, serves=True, **more):
        server = self.start("server", "--database", url or self.postgres.url(), "--pool_key", self.key, **more)
        if serves:
            server.wait_for("serving on")
        return server

    def jobs(self):
        return [json.loads(line) for line in self.muster("jobs", "--json").stdout.splitlines()]

    def submit(self, limit):
        """The name of the job, once it is accepted, and its command's exit code when it was not."""
        run = self.begin_run("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", str(limit), "--json")
        eventually(lambda: run.printed or not run.alive(), "neither accepted nor refused")
        accepted = [line for line in run.printed if '"accepted"' in line]
        code = run.kill()
        return (json.loads(accepted[0])["job"], 0) if accepted else (None, code)

    def assert_accepted(self, limit):
        job, code = self.submit(limit)
        self.assertIsNotNone(job, code)
        return job

    def assert_refused(self, limit):
        self.assertEqual(self.submit(limit), (None, 75))
