"""What is over, asked about after the server was started anew: it is in the database alone."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402

JOB = ("--tasks", "tinyHellaswag", "--limit", "2")


class History(PoolTest):
    def jobs(self):
        done = self.muster("jobs", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_what_is_over_is_known_to_the_next_server(self):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 2)
        first = self.run_job(*JOB, model=NEOX)[-1]["results"]
        job = self.jobs()[0]["job"]
        self.server.stop()
        self.server = self.start("server", state=self.server.state)
        self.server.wait_for("serving on")

        (listed,) = self.jobs()
        self.assertEqual((listed["job"], listed["state"]), (job, "done"))
        for name in (job, job[:5]):
            why = self.muster("why", name)
            self.assertEqual(why.returncode, 0, why.stderr)
            self.assertIn(f"{job}: done: 2 of 2 items settled", why.stdout)
        for name, words in ((job, "over already"), ("no-such-job", "no job is called")):
            cancelled = self.muster("cancel", name)
            self.assertNotEqual(cancelled.returncode, 0)
            self.assertIn(words, cancelled.stderr)

        # The same wish is answered with the run that there was; who insists gets another.
        self.assertEqual(self.run_job(*JOB, model=NEOX)[-1]["results"], first)
        self.assertEqual([row["run"] for row in self.jobs()], [1])
        again = self.run_job(*JOB, "--force", model=NEOX)[-1]["results"]
        self.assertEqual(again["results"], first["results"])
        self.assertEqual([row["run"] for row in self.jobs()], [2])


if __name__ == "__main__":
    unittest.main()
