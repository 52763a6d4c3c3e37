"""Rows 11 and 12: folders that were copied, and strangers who take the descriptors."""
import os
import resource
import shutil
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.test_cases import PoolTest  # noqa: E402


class Twins(PoolTest):
    def folder_and_copy(self, role):
        """Of a worker that was in the pool, and has left."""
        self.start_pool([], coordinator=False)
        first = self.start("worker", "--role", role)
        self.server.wait_for("worker .* joined")
        first.stop()
        copy = self.path("copy")
        shutil.copytree(first.state, copy)
        return first.state, copy

    def test_11_two_machines_with_one_key_are_both_told(self):
        state, copy = self.folder_and_copy("compute")
        twins = [self.start("worker", "--role", "compute", state=folder) for folder in (state, copy)]
        for twin in twins:
            twin.wait_for("refuses this machine: two machines share an identity: delete machine.key")
        self.server.wait_for("machine .* is refused for a minute: two machines share an identity")
        twins[1].stop()
        os.remove(os.path.join(copy, "machine.key"))
        joined = self.server.count("worker .* joined")
        self.start("worker", "--role", "compute", state=copy).wait_for("connected to the server")
        self.server.wait_for("worker .* joined", count=joined + 1)

    def test_11_two_stores_with_one_folder_are_two_stores(self):
        state, copy = self.folder_and_copy("storage")
        os.remove(os.path.join(copy, "machine.key"))
        stores = [self.start("worker", "--role", "storage", state=folder) for folder in (state, copy)]
        stores[1].wait_for("copied here; beginning another store")
        self.server.wait_for("copies 2 of 2")


class Descriptors(PoolTest):
    def test_12_a_server_that_had_none_left_is_not_deaf(self):
        self.start_pool([], coordinator=False)
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (64, 64))
        strangers = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(100)]
        self.server.wait_for("nobody can connect now .*ulimit -n")
        for stranger in strangers:
            stranger.close()
        self.start("worker", "--role", "compute")
        self.server.wait_for("worker .* joined")

    def test_12_a_daemon_may_open_as_many_as_the_hard_limit_allows(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        self.start_pool([[]], coordinator=False)
        for daemon in self.daemons:
            self.assertEqual(resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE), (hard, hard))

    def test_12_silent_connections_are_closed(self):
        self.start_pool([], coordinator=False)
        with socket.create_connection(("127.0.0.1", self.port)) as stranger:
            while stranger.recv(4096):  # The server's settings, then its end.
                pass


if __name__ == "__main__":
    unittest.main()
