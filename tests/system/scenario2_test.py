"""Scenario 2 of the manual with real processes: a worker, the coordinator and a storage node are killed
while a job runs, and the table of the undisturbed run arrives."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import scores_alone  # noqa: E402
from pool.programs import SMOL  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402


class Scenario2(PoolTest):
    def test_three_failures_and_the_same_numbers(self):
        self.start_pool([["--owner", f"owner-{number}"] for number in range(6)])
        self.server.wait_for("copies 2 of 2")
        run = self.begin_run("--llm_name", SMOL, "--tasks", "tinyMMLU", "--limit", "6", "--json")

        worker = self.workers[5]
        worker.wait_for(r"lease \d+: ")
        worker.kill()
        self.server.wait_for("machine .* is gone: its line closed")

        state = self.coordinator.state
        self.coordinator.kill()
        self.server.wait_for(r"machine .* is gone: its line closed", count=2)
        successor = self.start("coordinator", state=state)
        successor.wait_for("taking over")

        self.workers[0].wait_for(r"storage: \d+ records of .* stored")
        self.workers[1].kill()
        self.server.wait_for("storage node .* is down and leaves the view")
        self.server.wait_for("becomes a storage node", count=3)

        code, out, err = run.end()
        self.assertEqual(code, 0, err)
        self.assertIn("coordinator lost, waiting", err)
        results = json.loads(out.splitlines()[-1])["results"]
        got = results["results"]["tinyMMLU"]
        self.assertEqual((got["acc,none"], got["acc_norm_raw,none"]), scores_alone(SMOL, "tinyMMLU", 6))
        self.assertEqual(results["muster"]["votes"]["tinyMMLU"]["items_below"], 0)


if __name__ == "__main__":
    unittest.main()
