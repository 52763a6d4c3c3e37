"""What an operator lets researchers do, and no more."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import RUN_S  # noqa: E402
from pool.programs import NEOX, SMOL  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402


class Limits(PoolTest):
    FLAGS = ["--jobs_per_researcher", "1", "--items_per_day", "5", "--allow_model", "*/random-neox"]

    def serve(self):
        server = self.start("server", *self.FLAGS, state=self.path("server"))
        server.wait_for("serving on")
        return server

    def setUp(self):
        super().setUp()
        self.server = self.serve()
        self.coordinator = self.start("coordinator", state=self.path("coordinator"))
        self.coordinator.wait_for("connected to")
        words = json.loads(self.muster("token", "create", "--role", "researcher", "--owner", "ada", "--json").stdout)
        self.ada = {"XDG_STATE_HOME": self.path("elsewhere"), "MUSTER_TOKEN": words["word"]}

    def words(self, model, limit):
        return ["--llm_name", model, "--tasks", "tinyHellaswag", "--limit", str(limit)]

    def jobs(self):
        return {job["job"]: job for job in (json.loads(line) for line in
                                            self.muster("jobs", "--json").stdout.splitlines())}

    def test_of_models_jobs_and_items(self):
        self.assert_fails(self.muster("run", *self.words(SMOL, 1), env=self.ada), 77, "*/random-neox", "SmolLM2")
        first = self.begin_run(*self.words(NEOX, 2), env=self.ada)
        job = eventually(self.jobs, "no job").popitem()[0]
        self.assert_fails(self.muster("run", *self.words(NEOX, 1), env=self.ada), 75, "ada has 1 jobs running")
        operators = self.begin_run(*self.words(SMOL, 6))
        eventually(lambda: len(self.jobs()) == 2, "an operator has no limits")
        eventually(lambda: self.jobs()[job]["total"] == 2, "its items are not known")
        self.muster("cancel", job, env=self.ada)
        self.assertEqual(first.wait(RUN_S), 1)
        self.server.stop()
        self.serve()  # Which knows what there was.
        self.coordinator.wait_for("connected to", 2)
        done = self.muster("run", *self.words(NEOX, 4), env=self.ada)
        self.assert_fails(done, 1, "ada has had 2 of the 5", "4 items")
        operators.stop()


if __name__ == "__main__":
    unittest.main()
