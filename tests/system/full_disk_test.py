"""A full disk: at start-up exit 74; under a storage node it leaves the view and the job goes on. A folder
that is deleted under a process: nothing is promised into it."""
import json
import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import files_up_to  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402


class FullDisk(PoolTest):
    def test_a_daemon_that_cannot_write_its_state_ends_with_74(self):
        self.server = self.start("server")
        self.server.wait_for("serving on")
        for role in ("worker", "coordinator"):
            daemon = self.start(role, in_child=files_up_to(0))
            self.assertEqual(daemon.wait(60), 74, daemon.lines)
            self.assertEqual([name for name in os.listdir(daemon.state) if name != "lock"], [])

    def test_a_storage_node_that_cannot_write_leaves_the_view_and_the_job_ends(self):
        self.server = self.start("server")
        self.server.wait_for("serving on")
        small = self.start("worker", "--role", "storage", in_child=files_up_to(150_000))
        self.server.wait_for("copies 1 of 2")
        for role in ("storage", "compute", "compute"):
            self.start("worker", "--role", role, "--threads", "1")
        self.server.wait_for("copies 2 of 2")
        self.start("coordinator")
        lines = self.run_job("--tasks", "tinyMMLU", "--limit", "40", model=NEOX)
        self.assertEqual(lines[-1]["state"], "done")
        small.wait_for("cannot write, so this machine leaves the view")
        status = json.loads(self.muster("status", "--json").stdout)
        self.assertEqual(status["copies"], 1)
        self.assertEqual([m["state"] for m in status["machines"] if "cannot store" in m["reason"]], ["idle"])

    def test_nothing_is_accepted_into_a_folder_that_was_deleted(self):
        self.start_pool([["--role", "storage"]] * 2)
        self.server.wait_for("copies 2 of 2")
        with open(os.path.join(self.server.state, "operator.token")) as file:
            self.environment["MUSTER_TOKEN"] = file.read()  # Which goes with the folder.
        shutil.rmtree(self.server.state)
        done = self.muster("run", "--llm_name", NEOX, "--limit", "1")
        self.assert_fails(done, 75, "the database cannot be written")
        self.server.wait_for("could not be committed: server.db was moved or deleted")
        self.assertEqual(json.loads(self.muster("status", "--json").stdout)["jobs"], [])

    def test_a_store_whose_folder_was_deleted_leaves_the_view(self):
        self.start_pool([["--role", "storage"]] * 3 + [["--role", "compute"]] * 2)
        self.server.wait_for("copies 2 of 2")
        shutil.rmtree(self.workers[0].state)
        lines = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", model=NEOX)
        self.assertEqual(lines[-1]["state"], "done")
        self.workers[0].wait_for("leaves the view: records.db was moved or deleted")


if __name__ == "__main__":
    unittest.main()
