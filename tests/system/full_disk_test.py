"""A full disk: at start-up exit 74; under a storage node it leaves the view and the job goes on."""
import json
import os
import unittest

from pool import NEOX, PoolTest


class FullDisk(PoolTest):
    def test_a_daemon_that_cannot_write_its_state_ends_with_74(self):
        self.server = self.start("server")
        self.server.wait_for("serving on")
        for role in ("worker", "coordinator"):
            daemon = self.start(role, file_bytes=0)
            daemon.process.wait(60)
            daemon.reader.join()
            self.assertEqual(daemon.process.returncode, 74, daemon.lines)
            self.assertEqual([name for name in os.listdir(daemon.state) if name != "lock"], [])

    def test_a_storage_node_that_cannot_write_leaves_the_view_and_the_job_ends(self):
        self.server = self.start("server")
        self.server.wait_for("serving on")
        small = self.start("worker", "--role", "storage", file_bytes=150_000)
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


if __name__ == "__main__":
    unittest.main()
