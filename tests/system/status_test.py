"""What daemons tell those who watch over them."""
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool import status  # noqa: E402
from pool.processes import free_port  # noqa: E402
from pool.programs import NEOX, SMOL  # noqa: E402
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


class Metrics(StatusTest):
    JOB = ["--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2"]

    def check_page(self, daemon):
        """promtool finds nothing to say of it. An empty page is fine to promtool: names are asked for beside."""
        self.assertTrue(shutil.which("promtool"), "promtool is missing: install the Debian package 'prometheus'")
        code, text = status.get(daemon.shown, "/metrics")
        self.assertEqual(code, 200)
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_of_a_job_that_is_done(self):
        server = self.start_server()
        coordinator = self.start_shown("coordinator")
        worker = self.start_shown("worker", "--role", "compute", "--threads", "1")
        for role in ("storage", "compute"):
            self.start("worker", "--role", role, "--threads", "1")
        server.wait_for("joined", 4)
        server.wait_for("copies 1 of 2")
        done = self.muster("run", *self.JOB)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = status.metrics(server.shown)
        for name, value in {
                'muster_build_info{version="0.1.0"}': 1, 'muster_machines{role="storage",state="storage"}': 1,
                'muster_machines{role="compute",state="idle"}': 2, 'muster_machines{role="compute",state="lent"}': 0,
                'muster_machines{role="coordinator",state="coordinator"}': 1, 'muster_jobs{state="assigned"}': 0,
                'muster_jobs{state="waiting"}': 0, 'muster_jobs_ended_total{state="done"}': 1,
                'muster_jobs_ended_total{state="failed"}': 0, 'muster_database_commits_total{outcome="failed"}': 0,
                'muster_connections_refused_total': 0, 'muster_messages_refused_total': 0}.items():
            self.assertEqual(said.get(name), value, name)
        self.assertGreaterEqual(said['muster_database_commits_total{outcome="done"}'], 4)
        self.assertAlmostEqual(said["process_start_time_seconds"], os.stat(f"/proc/{server.process.pid}").st_mtime,
                               delta=60)
        said = status.metrics(coordinator.shown)
        for name, value in {
                'muster_items_settled_total{task="tinyHellaswag"}': 2, 'muster_items_settled_total{task="tinyMMLU"}': 0,
                'muster_votes_disagreeing_total': 0, 'muster_lease_expired_total{reason="no_progress"}': 0,
                'muster_lease_expired_total{reason="too_slow"}': 0}.items():
            self.assertEqual(said.get(name), value, name)
        self.assertGreaterEqual(said["muster_leases_granted_total"], 2)
        self.assertEqual(said["muster_ack_duration_seconds_count"], 3, "a seal and two values")
        said = status.metrics(worker.shown)
        self.assertEqual(said["muster_ack_duration_seconds_count"], 2, "an answer to each item")
        self.assertGreater(said["muster_ack_duration_seconds_sum"], 0)
        for daemon in (server, coordinator, worker):
            self.check_page(daemon)

    def test_of_what_goes_wrong(self):
        server = self.start_server(in_child=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
        coordinator = self.start_shown("coordinator")
        worker = self.start("worker", "--role", "compute", "--threads", "1")
        self.start("worker", "--role", "storage")
        server.wait_for("copies 1 of 2")
        self.begin_run("--llm_name", SMOL, "--tasks", "tinyHellaswag")
        coordinator.wait_for("lease 1 to")
        self.assertEqual(status.metrics(server.shown)['muster_jobs{state="assigned"}'], 1)
        worker.kill()
        gone = 'muster_lease_expired_total{reason="machine_gone"}'
        eventually(lambda: status.metrics(coordinator.shown)[gone] >= 1, "no lease was lost")
        # Of 256 files half are for lines, of which one address has three quarters.
        silent = status.Silent(self.port, 120)
        self.addCleanup(silent.close)
        refused = "muster_connections_refused_total"
        eventually(lambda: status.metrics(server.shown)[refused] >= 24, "none was refused")
        self.assertLessEqual(status.metrics(server.shown)[refused], 40)


class Logs(StatusTest):
    def test_each_line_is_an_object_with_ids(self):
        flags = ["--log_format", "json"]
        server = self.start_server(*flags)
        coordinator = self.start("coordinator", *flags)
        for role in ("storage", "compute", "compute"):
            self.start("worker", "--role", role, "--threads", "1", *flags)
        server.wait_for("joined", 4)
        server.wait_for("copies 1 of 2")
        lines = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", model=NEOX)
        job = lines[0]["job"]
        machines = {m["machine"]: m for m in json.loads(self.muster("status", "--json").stdout)["machines"]}
        daemons = list(self.daemons)
        self.forget_daemons()
        said = {daemon: [json.loads(line) for line in daemon.lines] for daemon in daemons}
        for line in (line for lines in said.values() for line in lines):
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIn(line["level"], ("info", "warning"))
            self.assertIn(line["role"], ("server", "coordinator", "worker", "storage"))
            self.assertTrue(line["message"])
            self.assertIn(line.get("machine", ""), {"", *machines})
        of_job = [line["message"] for line in said[server] if line.get("job") == job]
        self.assertTrue(any("accepted" in text for text in of_job) and any("is done" in text for text in of_job), of_job)
        leases = [line for line in said[coordinator] if "lease" in line]
        self.assertTrue(leases)
        for line in leases:
            self.assertEqual((line["job"], machines[line["machine"]]["role"]), (job, "compute"))
            self.assertRegex(line["lease"], r"^1\.\d+$")
        granted = {line["lease"] for line in leases}
        taken = {line["lease"] for daemon in daemons[2:] for line in said[daemon] if "lease" in line}
        self.assertEqual(granted, taken, "workers name leases alike")

    def test_what_ends_a_daemon_is_a_line_like_others(self):
        self.start_server("--log_format", "json", state=self.path("server"))
        second = self.start("server", "--log_format", "json", state=self.path("server"), port=free_port())
        self.assertEqual(second.wait(), 69)
        (line,) = map(json.loads, second.lines)
        self.assertEqual((line["level"], line["role"]), ("error", "server"))


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
