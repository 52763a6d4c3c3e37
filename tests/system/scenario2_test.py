"""Scenario 2 of the manual with real processes: a worker, the coordinator and a storage node are killed
while a job runs, and the table of the undisturbed run arrives."""
import json
import os
import signal
import subprocess
import unittest

from pool import MUSTER, SMOL, PoolTest, scores_alone


class Scenario2(PoolTest):
    def test_three_failures_and_the_same_numbers(self):
        self.start_pool([["--owner", f"owner-{number}"] for number in range(6)])
        self.server.wait_for("copies 2 of 2")
        run = subprocess.Popen(
            [MUSTER, "run", "--llm_name", SMOL, "--tasks", "tinyMMLU", "--limit", "6", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "MUSTER_SERVER": f"127.0.0.1:{self.port}"})
        self.addCleanup(run.kill)

        worker = self.workers[5]
        worker.wait_for(r"lease \d+: ")
        worker.stop(signal.SIGKILL)
        self.server.wait_for("machine .* is gone: its line closed")

        state = self.coordinator.state
        self.coordinator.stop(signal.SIGKILL)
        self.server.wait_for(r"machine .* is gone: its line closed", count=2)
        successor = self.start("coordinator", state=state)
        successor.wait_for("taking over")

        self.workers[0].wait_for(r"storage: \d+ records of .* stored")
        self.workers[1].stop(signal.SIGKILL)
        self.server.wait_for("storage node .* is down and leaves the view")
        self.server.wait_for("becomes a storage node", count=3)

        out, err = run.communicate(timeout=600)
        self.assertEqual(run.returncode, 0, err)
        self.assertIn("coordinator lost, waiting", err)
        results = json.loads(out.splitlines()[-1])["results"]
        got = results["results"]["tinyMMLU"]
        self.assertEqual((got["acc,none"], got["acc_norm_raw,none"]), scores_alone(SMOL, "tinyMMLU", 6))
        self.assertEqual(results["muster"]["votes"]["tinyMMLU"]["items_below"], 0)


if __name__ == "__main__":
    unittest.main()
