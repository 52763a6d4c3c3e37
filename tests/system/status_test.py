"""What daemons tell those who watch over them."""
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool import status  # noqa: E402
from pool.processes import free_port  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def is_free_port(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class StatusTest(PoolTest):
    def start_shown(self, role, *arguments, **more):
        """A daemon with a status port, which is its `shown`."""
        port = free_port()
        daemon = self.start(role, "--status_port", str(port), *arguments, **more)
        daemon.shown = port
        return daemon

    def start_server(self, *arguments, **more):
        server = self.start_shown("server", *arguments, **more)
        server.wait_for("serving on")
        return server

    def ask(self, daemon):
        """`muster health`, which has no token."""
        return self.muster("health", "--status_port", str(daemon.shown), env={"XDG_STATE_HOME": self.path("nothing")})


class Health(StatusTest):
    def change(self, server, statement):
        """What nothing but a hand in its database does to a server."""
        with contextlib.closing(sqlite3.connect(os.path.join(server.state, "server.db"), timeout=60)) as database:
            database.execute(statement)
            database.commit()

    def test_a_server_is_ready_once_it_serves(self):
        server = self.start_server()
        eventually(lambda: status.health(server.shown)[0] == 200, "it is not ready")
        self.assertEqual(status.health(server.shown, "/livez"), (200, {"live": True}))
        self.assertEqual(status.health(server.shown, "/readyz"), (200, {"ready": True}))
        done = self.ask(server)
        self.assertEqual((done.returncode, json.loads(done.stdout)["ready"]), (0, True), done.stderr)
        for path in ("/", "/livez/", "/state", "/healthz%00"):
            self.assertEqual(status.get(server.shown, path)[0], 404, path)

    def test_a_node_is_ready_while_it_has_a_line_and_lives_without(self):
        server = self.start_server(state=self.path("server"))
        nodes = [self.start_shown("coordinator"), self.start_shown("worker", "--role", "compute")]
        for node in nodes:
            eventually(lambda: status.health(node.shown, "/readyz")[0] == 200, "it is not ready")  # noqa: B023
        server.kill()
        for node in nodes:
            eventually(lambda: status.health(node.shown, "/readyz")[0] == 503, "it is ready without a server")  # noqa: B023
            self.assertEqual(status.health(node.shown)[1]["why"], ["it has no line to the server"])
            self.assertEqual(status.health(node.shown, "/livez")[0], 200)
            done = self.ask(node)
            self.assertEqual((done.returncode, json.loads(done.stdout)["ready"], done.stderr), (69, False, ""))
        self.start_server(state=self.path("server"))
        for node in nodes:
            eventually(lambda: status.health(node.shown, "/readyz")[0] == 200, "it is not ready again")  # noqa: B023

    def test_a_server_without_its_database_is_not_ready_and_lives(self):
        server = self.start_server()
        self.change(server, "ALTER TABLE pool RENAME TO away")
        eventually(lambda: status.health(server.shown, "/readyz")[0] == 503, "it is ready without a database")
        self.assertEqual(status.health(server.shown)[1]["why"], ["its database does not answer"])
        self.assertEqual(status.health(server.shown, "/livez")[0], 200)
        self.change(server, "ALTER TABLE away RENAME TO pool")
        eventually(lambda: status.health(server.shown, "/readyz")[0] == 200, "it is not ready again")

    def test_whoever_was_told_to_stop_is_not_ready(self):
        hub = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(hub.close)
        self.start_server()
        coordinator = self.start_shown("coordinator", env={
            "HF_ENDPOINT": f"http://127.0.0.1:{hub.getsockname()[1]}", "HF_TOKEN": "", "HF_HUB_OFFLINE": "0",
            "HF_HUB_CACHE": self.path("hub")})
        eventually(lambda: status.health(coordinator.shown)[0] == 200, "it is not ready")
        self.begin_run("--llm_name", "a/b")
        asked, _ = hub.accept()  # It does not answer, so that the coordinator takes its time to end.
        self.addCleanup(asked.close)
        coordinator.send_signal(signal.SIGTERM)
        coordinator.wait_for("stopping")
        code, said = status.health(coordinator.shown)
        self.assertEqual((code, said["live"], said["why"]), (503, True, ["it is stopping"]))
        self.assertEqual(coordinator.wait(), 0)
        self.assertEqual(self.ask(coordinator).returncode, 69)


class Port(StatusTest):
    def test_a_port_that_was_asked_for_and_is_in_use_is_an_error(self):
        server = self.start_server()
        for role in ("server", "coordinator", "worker"):
            second = self.start(role, "--status_port", str(server.shown), port=free_port())
            self.assertEqual(second.wait(), 69)
            self.assertEqual(second.count(f"{server.shown}.*in use.*--status_port"), 1, second.lines)

    def test_of_the_port_that_daemons_have_by_themselves_there_is_one_on_a_machine(self):
        is_free = is_free_port(8787)  # Somebody else on this machine may have it.
        first = self.start("server", shown=True)
        first.wait_for("serving on")
        if is_free:
            self.assertEqual(status.health(8787, "/livez")[0], 200)
            self.assertEqual(first.count("no status port"), 0)
        second = self.start("server", shown=True, port=free_port())
        second.wait_for("serving on")
        self.assertEqual(second.count("no status port: .*8787.*in use.*--status_port, or 0 for none"), 1, second.lines)

    def test_a_worker_has_none_by_itself(self):
        self.start_server()
        worker = self.start("worker", "--role", "compute")
        worker.wait_for("connected to the server")
        self.assertEqual(worker.count("status port"), 0)


class Strangers(StatusTest):
    def test_a_thousand_silent_connections_hold_nobody_up(self):
        server = self.start_server()
        node = self.start_shown("coordinator")
        node.wait_for("connected to the server")
        before = descriptors(server)
        silent = status.Silent(server.shown, 1000)
        self.addCleanup(silent.close)
        self.assertEqual(status.health(server.shown)[0], 200)
        self.assertLessEqual(descriptors(server), before + 64 + 8)
        self.assertEqual(self.muster("status").returncode, 0)
        self.assertEqual(node.count("is lost"), 0)
        # Who stays silent is not kept.
        eventually(lambda: descriptors(server) <= before + 8, "it keeps silent connections")

    def test_what_is_too_long_is_refused(self):
        server = self.start_server()
        with socket.create_connection(("127.0.0.1", server.shown)) as caller:
            caller.settimeout(60)
            try:
                for _ in range(10_000):
                    caller.sendall(b"X: " + b"y" * 1021)
            except OSError:
                pass
            else:
                self.fail("it reads for ever")
        self.assertEqual(status.health(server.shown, "/livez")[0], 200)


if __name__ == "__main__":
    unittest.main()
