"""Scenario 1 of the manual with real processes: the flawless run."""
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import scores_alone  # noqa: E402
from pool.programs import NEOX, SMOL  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402


class Scenario1(PoolTest):
    def test_six_workers_give_the_table_that_one_process_gives(self):
        self.start_pool([[]] * 6)
        self.server.wait_for("copies 2 of 2")
        status = json.loads(self.muster("status", "--json").stdout)
        self.assertEqual(sorted(m["state"] for m in status["machines"]),
                         ["coordinator"] + ["idle"] * 4 + ["storage"] * 2)
        done = self.muster("run", "--llm_name", SMOL, "--limit", "2", "--output_path", self.path("out"))
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[3:] if line.startswith("|")]
        expected = []
        for task in ("tinyMMLU", "tinyHellaswag"):
            expected += ["%.4f" % value for value in scores_alone(SMOL, task, 2)]
        self.assertEqual([row[6] for row in rows], expected)
        self.assertEqual([row[9:] for row in rows], [["2", "A"]] * 4)
        self.assertTrue(lines[-1].startswith("class A: "), lines[-1])

        (folder,) = os.listdir(self.path("out"))
        (name,) = os.listdir(self.path("out", folder))
        self.assertRegex(name, r"^results_\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}\.json$")
        with open(self.path("out", folder, name)) as file:
            results = json.load(file)
        for key in ("results", "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config", "date", "muster"):
            self.assertIn(key, results)
        self.assertEqual("%.4f" % results["results"]["tinyMMLU"]["acc,none"], expected[0])
        self.assertEqual(results["n-samples"]["tinyMMLU"], {"original": 100, "effective": 2})

    def test_the_same_with_one_two_and_five_machines_that_compute(self):
        expected = scores_alone(NEOX, "tinyHellaswag", 12)
        for machines in (1, 2, 5):
            with self.subTest(machines=machines):
                self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * machines)
                lines = self.run_job("--tasks", "tinyHellaswag", "--limit", "12", "--quorum_wait", "1", model=NEOX)
                self.assertEqual(lines[0]["type"], "accepted")
                results = lines[-1]["results"]
                got = results["results"]["tinyHellaswag"]
                self.assertEqual((got["acc,none"], got["acc_norm_raw,none"]), expected)
                votes = results["muster"]["votes"]["tinyHellaswag"]
                self.assertEqual(votes["least"], min(machines, 2))
                self.assertEqual(votes["items_below"], 12 if machines == 1 else 0)
                self.assertEqual(self.forget_daemons(), [0] * (4 + machines))

    def test_the_same_request_finds_the_same_job_and_force_runs_it_again(self):
        self.start_pool([[]] * 4)
        first = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", model=NEOX)
        again = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", model=NEOX)
        self.assertEqual((again[0]["job"], again[0]["run"], again[0]["attached"]), (first[0]["job"], 1, True))
        forced = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", "--force", model=NEOX)
        self.assertEqual((forced[0]["job"], forced[0]["run"]), (first[0]["job"], 2))
        self.assertEqual(forced[-1]["results"]["results"], first[-1]["results"]["results"])
        self.assertTrue(re.search(first[0]["job"] + r".*done", self.muster("jobs").stdout))


if __name__ == "__main__":
    unittest.main()
