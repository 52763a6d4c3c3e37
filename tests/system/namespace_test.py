"""A pool and a machine that have nothing in common but a wire: the printed command, pasted in another network namespace."""
import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import Process  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402

NAME = f"muster-{os.getpid()}"
NET = f"198.18.{os.getpid() % 256}"  # For tests of networks, and nobody's.
HERE, THERE = f"{NET}.1", f"{NET}.2"


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("ip"), "namespaces are root's")
class AnotherNamespace(PoolTest):
    def setUp(self):
        super().setUp()
        wire = f"m{os.getpid() % 10**6}"
        self.addCleanup(ip, "netns", "delete", NAME, check=False)
        if ip("netns", "add", NAME, check=False).returncode != 0:
            self.skipTest("no namespace can be made here")
        ip("link", "add", f"{wire}a", "type", "veth", "peer", "name", f"{wire}b", "netns", NAME)
        self.addCleanup(ip, "link", "delete", f"{wire}a", check=False)
        ip("address", "add", f"{HERE}/30", "dev", f"{wire}a")
        ip("link", "set", f"{wire}a", "up")
        ip("-n", NAME, "address", "add", f"{THERE}/30", "dev", f"{wire}b")
        ip("-n", NAME, "link", "set", f"{wire}b", "up")
        self.there = {"XDG_STATE_HOME": self.path("there"), "XDG_CONFIG_HOME": self.path("there"), "MUSTER_TOKEN": ""}
        self.server = self.start("server", "--ip", HERE)
        self.server.wait_for("serving on")
        self.address = lambda port=None: {**self.environment, "MUSTER_SERVER": f"{HERE}:{port or self.port}"}
        self.token = ["--token_file", os.path.join(self.server.state, "operator.token")]

    def join_command(self, *arguments):
        done = self.muster("token", "create", "--print_join_command", *arguments, *self.token)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def inside(self, command, *more):
        """A shell's line in the other namespace, where `muster` is this program."""
        path = {"PATH": os.path.dirname(self.program) + os.pathsep + os.environ["PATH"]}
        return ["ip", "netns", "exec", NAME, "sh", "-c", " ".join([command, *more])], {**self.there, **path}

    def begin_inside(self, command, *more):
        words, env = self.inside(command.replace(" muster ", " exec muster "), *more)
        process = Process(words, env=env)
        self.daemons.append(process)
        return process

    def run_inside(self, command, *more):
        words, env = self.inside(command, *more)
        return subprocess.run(words, capture_output=True, text=True, env={**os.environ, **env}, timeout=300)

    def test_what_is_printed_is_all_that_it_takes(self):
        self.start("coordinator", "--ip", HERE, *self.token).wait_for("connected to")
        command = self.join_command("--owner", "lab")
        for number in range(2):
            state = self.path(f"lent-{number}")
            self.begin_inside(command, "--threads", "1", "--state_dir", state).wait_for("connected to")
        login = self.run_inside(self.join_command("--role", "researcher", "--owner", "ada"))
        self.assertEqual(login.returncode, 0, login.stderr)
        done = self.run_inside("muster run --json --tasks tinyHellaswag --limit 2 --llm_name", NEOX)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("acc_norm", done.stdout)
        status = json.loads(self.run_inside("muster status --json").stdout)
        self.assertEqual([machine["owner"] for machine in status["machines"] if machine["role"] != "coordinator"],
                         ["lab", "lab"])


if __name__ == "__main__":
    unittest.main()
