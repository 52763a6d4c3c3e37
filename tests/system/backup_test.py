"""A pool in a file: taken while it runs, restored into either kind of database."""
import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.test_cases import PostgresTest  # noqa: E402


class Backup(PostgresTest):
    def test_a_pool_moves_from_a_file_to_a_server_and_back(self):
        self.start_pool([["--role", "compute"]] * 2)
        self.assert_accepted(1)
        token = json.loads(self.muster("token", "create", "--json").stdout)
        file = self.path("pool.backup")
        done = self.muster("backup", file, "--state_dir", self.server.state)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 run", done.stdout)
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.server.stop()
        done = self.muster("restore", file, "--state_dir", self.path("there"), "--database", self.postgres.url(),
                           "--pool_key", self.key)
        self.assertEqual(done.returncode, 0, done.stderr)
        server = self.serve(state=self.path("there"))
        server.wait_for("worker .* joined", 2)
        self.assertEqual(len(self.jobs()), 1)
        self.start("worker", "--role", "compute", env={"MUSTER_TOKEN": token["word"]}).wait_for("connected to")
        back = self.path("back.backup")
        self.assertEqual(self.muster("backup", back, "--state_dir", self.path("there"), "--database",
                                     self.postgres.url()).returncode, 0)
        server.stop(signal.SIGKILL)
        done = self.muster("restore", back, "--state_dir", self.path("third"))
        self.assertEqual(done.returncode, 0, done.stderr)
        again = self.start("server", "--pool_key", self.key, state=self.path("third"))
        again.wait_for("worker .* joined", 3)

    def test_what_is_wrong_is_said(self):
        self.assert_fails(self.muster("backup", self.path("b"), "--state_dir", self.path("nothing")), 78, "no pool there")
        with open(self.path("no"), "w") as file:
            file.write("{}\n{}\n")
        self.assert_fails(self.muster("restore", self.path("no"), "--state_dir", self.path("x")), 78,
                          "no backup of a pool, or not all of one")
        server = self.start("server")
        server.wait_for("serving on")
        self.assert_fails(self.muster("restore", self.path("no"), "--state_dir", server.state), 69, "already runs")


del PostgresTest  # It is no test itself.

if __name__ == "__main__":
    unittest.main()
