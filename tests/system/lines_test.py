"""Lines that networks cannot hurt: connections that pass nothing any more, and a process that is told to end while a
thread of it hangs."""
import contextlib
import json
import signal
import socket
import subprocess
import threading
import unittest

from pool import MUSTER, NEOX, PoolTest


class Relay:
    """Carries TCP connections to a port. freeze() makes those that are open pass nothing any more, without
    closing them, as a NAT does that has forgotten them; new ones work."""

    def __init__(self, target):
        self.target, self.generation, self.ends = target, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                inner, _ = self.listener.accept()
                outer = socket.create_connection(("127.0.0.1", self.target))
                self.ends += [inner, outer]
                for source, sink in ((inner, outer), (outer, inner)):
                    threading.Thread(target=self._pump, args=(source, sink, self.generation), daemon=True).start()

    def _pump(self, source, sink, generation):
        with contextlib.suppress(OSError):
            while (piece := source.recv(1 << 16)) and generation == self.generation:
                sink.sendall(piece)
            if generation == self.generation:
                sink.shutdown(socket.SHUT_WR)

    def freeze(self):
        self.generation += 1

    def close(self):
        for end in [self.listener, *self.ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class LinesTest(PoolTest):
    def relay(self):
        relay = Relay(self.port)
        self.addCleanup(relay.close)
        return relay

    def start_through(self, relay, role, *arguments):
        port, self.port = self.port, relay.port
        try:
            return self.start(role, *arguments)
        finally:
            self.port = port


class HalfDead(LinesTest):
    def test_nodes_come_back_over_a_new_connection(self):
        self.start_pool([], coordinator=False)
        relay = self.relay()
        worker = self.start_through(relay, "worker", "--role", "compute")
        coordinator = self.start_through(relay, "coordinator")
        for node in (worker, coordinator):
            node.wait_for("connected to the server")
        relay.freeze()
        self.server.wait_for("worker .* joined", count=2)
        self.server.wait_for("coordinator .* joined", count=2)
        for node in (worker, coordinator):
            node.wait_for("connected to the server", count=2)

    def test_run_returns_with_the_table(self):
        self.start_pool([["--role", "storage"]] * 2)
        relay = self.relay()
        run = subprocess.Popen([MUSTER, "run", "--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2", "--json",
                                "--port", str(relay.port)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        while '"progress"' not in run.stdout.readline():
            self.assertIsNone(run.poll())
        relay.freeze()
        for _ in range(2):
            self.start("worker", "--role", "compute", "--threads", "1")
        out, err = run.communicate(timeout=300)
        self.assertEqual(run.returncode, 0, err)
        self.assertEqual(json.loads(out.splitlines()[-1])["state"], "done")
        self.assertIn("the server is lost, waiting for it", err)


class Stopping(LinesTest):
    def test_a_coordinator_ends_though_the_hub_does_not_answer(self):
        hub = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hub.close)
        self.start_pool([], env={"HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}", "HF_TOKEN": "",
                                 "HF_HUB_OFFLINE": "0", "HF_HUB_CACHE": self.path("hub")})
        run = subprocess.Popen([MUSTER, "run", "--llm_name", "a/b", "--port", str(self.port)],
                               stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.communicate)
        self.addCleanup(run.kill)
        asked, _ = hub.accept()
        self.addCleanup(asked.close)
        self.assertEqual(self.coordinator.stop(signal.SIGTERM), 0, self.coordinator.lines)


if __name__ == "__main__":
    unittest.main()
