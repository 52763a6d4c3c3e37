"""Lines that networks cannot hurt: connections that pass nothing any more, and a process that is told to end while a
thread of it hangs."""
import json
import os
import signal
import socket
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402


class HalfDead(PoolTest):
    def test_nodes_come_back_over_a_new_connection(self):
        self.start_pool([], coordinator=False)
        relay = self.relay()
        worker = self.start("worker", "--role", "compute", port=relay.port)
        coordinator = self.start("coordinator", port=relay.port)
        for node in (worker, coordinator):
            node.wait_for("connected to the server")
        relay.half_die()
        self.server.wait_for("worker .* joined", count=2)
        self.server.wait_for("coordinator .* joined", count=2)
        for node in (worker, coordinator):
            node.wait_for("connected to the server", count=2)

    def test_run_returns_with_the_table(self):
        self.start_pool([["--role", "storage"]] * 2)
        relay = self.relay()
        run = self.begin_run("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2", "--json", port=relay.port)
        run.wait_until(lambda: any('"progress"' in line for line in run.printed), "no progress was printed")
        relay.half_die()
        for _ in range(2):
            self.start("worker", "--role", "compute", "--threads", "1")
        code, out, err = run.end()
        self.assertEqual(code, 0, err)
        self.assertEqual(json.loads(out.splitlines()[-1])["state"], "done")
        self.assertIn("the server is lost, waiting for it", err)


class Stopping(PoolTest):
    def test_a_coordinator_ends_though_the_hub_does_not_answer(self):
        hub = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hub.close)
        self.start_pool([], env={"HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}", "HF_TOKEN": "",
                                 "HF_HUB_OFFLINE": "0", "HF_HUB_CACHE": self.path("hub")})
        self.begin_run("--llm_name", "a/b")
        asked, _ = hub.accept()
        self.addCleanup(asked.close)
        self.assertEqual(self.coordinator.stop(signal.SIGTERM), 0, self.coordinator.lines)


if __name__ == "__main__":
    unittest.main()
