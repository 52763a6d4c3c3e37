"""Machines that are told to end, by their lenders or by an operator: nothing is lost with them."""
import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import RUN_S  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

JOB = ["--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "12", "--json"]


class Leaving(PoolTest):
    def machines(self):
        status = json.loads(self.muster("status", "--json").stdout)
        return {machine["machine"]: machine["state"] for machine in status["machines"]}

    def machine_of(self, worker):
        line = next(line for line in worker.lines if "machine " in line)
        return line.split("machine ")[1].split()[0]

    def test_who_works_works_off_its_lease_first(self):
        self.start_pool([["--role", "storage"]] * 2 + [["--role", "compute"]] * 3)
        run = self.begin_run(*JOB)
        leaver = self.workers[-1]
        state = self.machine_of(leaver)
        eventually(lambda: self.machines().get(state, "").startswith("lent to"), "it is not lent")
        self.assertEqual(leaver.stop(), 0)
        self.server.wait_for(f"machine {state[:8]}.* is leaving")
        code, printed, complaints = run.end(RUN_S)
        self.assertEqual(code, 0, complaints)
        job = json.loads(printed.splitlines()[0])["job"]
        why = self.muster("why", job).stdout
        self.assertNotIn("lost while it worked", why)
        self.assertNotIn("expired", why)

    def test_a_store_goes_when_another_holds_its_copy(self):
        self.start_pool([["--role", "storage"]] * 3)
        eventually(lambda: sorted(self.machines().values()).count("storage") == 2, "the view is not full")
        leaver = next(worker for worker in self.workers if self.machines()[self.machine_of(worker)] == "storage")
        self.assertEqual(leaver.stop(), 0)
        self.server.wait_for("is leaving; others hold its copy")
        states = [state for machine, state in self.machines().items() if machine != self.machine_of(leaver)]
        self.assertEqual(states.count("storage"), 2)
        self.assertEqual(self.server.count("is down and leaves the view"), 0)

    def test_all_at_once_wait_for_nobody(self):
        self.start_pool([["--role", "storage"]] * 3)
        eventually(lambda: sorted(self.machines().values()).count("storage") == 2, "the view is not full")
        for worker in self.workers:
            worker.send_signal(signal.SIGSTOP)
        for worker in self.workers:
            worker.send_signal(signal.SIGTERM)
        for worker in self.workers:
            worker.send_signal(signal.SIGCONT)
        self.assertEqual([worker.wait(60) for worker in self.workers], [0, 0, 0])

    def test_a_server_that_does_not_answer_holds_nobody(self):
        self.start_pool([["--role", "compute", "--drain", drain] for drain in ("10m", "10m", "0")])
        for worker in self.workers:
            worker.wait_for("connected to")
        self.server.send_signal(signal.SIGSTOP)
        twice, patient, at_once = self.workers
        twice.send_signal(signal.SIGTERM)
        twice.wait_for("leaving, once its work is done")
        self.assertEqual(twice.stop(), 130)  # A second one.
        self.assertEqual(at_once.stop(), 0)
        self.assertEqual(at_once.count("leaving"), 0)
        self.assertEqual(patient.stop(), 0)
        self.server.send_signal(signal.SIGCONT)

    def test_a_server_that_ends_too_holds_nobody(self):
        self.start_pool([["--role", "storage", "--drain", "10m"]] * 4)
        eventually(lambda: sorted(self.machines().values()).count("storage") == 2, "the view is not full")
        for process in (*self.workers, self.server):
            process.send_signal(signal.SIGTERM)
        self.assertEqual([worker.wait(60) for worker in self.workers], [0] * 4)

    def test_an_operator_drains_one(self):
        self.start_pool([["--role", "compute"]], coordinator=False)
        worker, = self.workers
        worker.wait_for("connected to")
        machine = self.machine_of(worker)
        done = self.muster("machine", "drain", machine[:6])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("removed once it holds nothing", done.stdout)
        self.assertEqual(worker.wait(60), 77)
        self.assertIn("'muster pardon", "\n".join(worker.lines))
        ls = json.loads(self.muster("machine", "ls", "--json").stdout)
        self.assertEqual([one["state"] for one in ls["machines"] if one["machine"] == machine], ["removed"])
        self.assertEqual(self.muster("pardon", machine).returncode, 0)
        self.start("worker", "--role", "compute", state=worker.state).wait_for("connected to")


if __name__ == "__main__":
    unittest.main()
