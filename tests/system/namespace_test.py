"""A pool and a machine that have nothing in common but a wire: the printed command, pasted in another network namespace."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.namespaces import WireTest, needs_namespaces  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402

NAME = "pool.example"


@needs_namespaces
class AnotherNamespace(WireTest, PoolTest):
    def setUp(self):
        super().setUp()
        self.set_up_wire()
        self.state = self.path("server")

    def start_server(self, host):
        self.server = self.start("server", "--ip", host, state=self.state)
        self.server.wait_for("serving on")
        self.token = ["--token_file", os.path.join(self.state, "operator.token")]

    def address(self, port=None):
        return {**self.environment, "MUSTER_SERVER": f"{self.here[0]}:{port or self.port}"}

    def join_command(self, *arguments):
        done = self.muster("token", "create", "--print_join_command", *arguments, *self.token)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def lend(self, command, count=2):
        for number in range(count):
            state = self.path(f"lent-{number}")
            self.begin_inside(command, "--threads", "1", "--state_dir", state).wait_for("connected to")

    def test_what_is_printed_is_all_that_it_takes(self):
        self.start_server(self.here[0])
        self.start("coordinator", "--ip", self.here[0], *self.token).wait_for("connected to")
        self.lend(self.join_command("--owner", "lab"))
        login = self.run_inside(self.join_command("--role", "researcher", "--owner", "ada"))
        self.assertEqual(login.returncode, 0, login.stderr)
        done = self.run_inside("muster run --json --tasks tinyHellaswag --limit 2 --llm_name", NEOX)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("acc_norm", done.stdout)
        status = json.loads(self.run_inside("muster status --json").stdout)
        self.assertEqual([machine["owner"] for machine in status["machines"] if machine["role"] != "coordinator"],
                         ["lab", "lab"])

    def test_a_server_that_moves_is_found_under_its_name(self):
        self.hosts({NAME: self.here[0]})
        self.start_server(self.here[0])
        named = lambda *words: self.join_command(*words).replace(self.here[0], NAME)  # noqa: E731
        coordinator = self.begin_inside(named("--role", "coordinator"), "--state_dir", self.path("coordinator"))
        coordinator.wait_for("connected to")
        lend = named("--owner", "lab")
        self.assertEqual(self.run_inside(named("--role", "researcher", "--owner", "ada")).returncode, 0)
        run = self.begin_inside("muster run --tasks tinyHellaswag --limit 2 --quorum_wait 600 --llm_name", NEOX)
        run.wait_for("accepted")
        self.server.stop()
        self.hosts({NAME: self.here[1]})
        self.start_server(self.here[1])
        coordinator.wait_for("connected to", 2)
        self.lend(lend)
        self.assertEqual(run.wait(300), 0, run.lines)
        self.assertIn("acc_norm", "\n".join(run.printed))


if __name__ == "__main__":
    unittest.main()
