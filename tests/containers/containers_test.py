"""The images, the whole pool of docker-compose.yml, and the manual's two scenarios with the manual's own commands, in real
containers of a Docker of their own."""
import json
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from containers.docker import CHECKOUT, Docker  # noqa: E402
from containers.table import LIMIT, SMOL_THERE, expected_values, say, values_of  # noqa: E402
from pool.programs import MODELS  # noqa: E402
from pool.waiting import eventually, until  # noqa: E402

HOST = "172.17.0.1"  # The machine itself, as its containers see it.
IMAGES = ("muster:0.1.0", "muster-worker:0.1.0", "muster-sql:0.1.0", "sit-distibuted-master", "sit-distributed-slave")
docker = None


def setUpModule():
    global docker
    docker = Docker()
    unittest.addModuleCleanup(docker.close)
    docker.build_images()
    docker.start()


class ContainerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # What a user writes who has models in a folder of his own.
        self.models = os.path.join(folder.name, "models.yml")
        mounted = "{volumes: ['" + MODELS + ":/models:ro']}"
        with open(self.models, "w") as file:
            file.write(f"services: {{worker: {mounted}, run: {mounted}}}\n")
        self.addCleanup(self.remove_everything)

    def remove_everything(self):
        names = docker.ask("ps", "-aq", "--filter", "label=muster.test").split()
        if names:
            docker.do("docker", "rm", "-fv", *names)
        self.compose("down", "-v", "--remove-orphans", "-t", "2")

    def compose(self, *words, **more):
        return docker.do("docker-compose", "-f", "docker-compose.yml", "-f", self.models, *words, **more)

    def on_server(self, *words, **more):
        """A command of muster's in the server's container."""
        return self.compose("exec", "-T", "server", "muster", *words, **more)

    def states(self):
        """Of the pool's machines; none while the server does not answer."""
        asked = self.on_server("status", "--json", check=False)
        return sorted(machine["state"] for machine in json.loads(asked.stdout)["machines"]) if asked.returncode == 0 else []

    def token(self, role):
        return self.on_server("token", "create", "--role", role).stdout.strip()

    def start_server(self):
        self.compose("up", "-d", "sql", "server")
        eventually(lambda: docker.state("muster_server_1", ".State.Health.Status") == "healthy", "the server is not healthy")

    def run_container(self, name, *words):
        """`docker run`, of which only the name and a label are the test's."""
        docker.do("docker", "run", "-d", "--name", name, "--label", "muster.test", *words)

    def begin_master(self):
        self.run_container("master", "-p", "8786:8786", "-p", "8787:8787", "-e", "MUSTER_TOKEN=" + self.token("coordinator"),
                           "sit-distibuted-master", "--ip", HOST, "--port", "30000")
        docker.wait_for("master", "connected to the server")

    def begin_slave(self, number, token):
        port = str(51591 + number)
        self.run_container(f"slave-{number}", "-p", f"{port}:{port}", "--gpus=all", "--restart=on-failure", "-v", f"{MODELS}:/models:ro",
                           "-e", f"MUSTER_TOKEN={token}", "sit-distributed-slave", "--ip", HOST, "--port", "30000", "--storage_ip",
                           HOST, "--storage_port", port)
        docker.wait_for(f"slave-{number}", "connected to the server")

    def gather(self, slaves=6):
        """The manual's steps 1 to 4."""
        self.start_server()
        token = self.token("worker")
        for number in range(1, slaves + 1):
            self.begin_slave(number, token)
            if number <= 2:
                docker.wait_for(f"slave-{number}", "storage: member of the view")
                docker.wait_for("muster_server_1", "holds a copy", count=number)
        self.assertNotIn("member of the view", docker.said("slave-3"))
        self.begin_master()

    def begin_researcher(self):
        """Step 5: send.py."""
        return docker.begin("docker", "run", "--rm", "--label", "muster.test", "-v", f"{MODELS}:/models:ro", "-e",
                            "MUSTER_TOKEN=" + self.token("researcher"), "muster-worker:0.1.0", "run", "--ip", HOST, "--port", "30000",
                            "--llm_name", SMOL_THERE, "--limit", str(LIMIT))

    def assert_table(self, run):
        code = run.wait(600)
        table = "\n".join(run.printed)
        self.assertEqual(code, 0, "\n".join(run.lines))
        self.assertEqual(values_of(table), expected_values(), table)
        say(f"the table after {time.monotonic() - run.began:.1f} s:\n" + table)


class Images(ContainerTest):
    def shell(self, image, line, *flags):
        return docker.do("docker", "run", "--rm", "--label", "muster.test", "--entrypoint", "sh", *flags, image, "-c", line, check=False)

    def test_have_no_root_no_compiler_and_nothing_of_where_they_were_built(self):
        base = self.shell("debian:bookworm-slim", "sha256sum /etc/ssl/certs/ca-certificates.crt").stdout
        for image in IMAGES:
            with self.subTest(image=image):
                say(f"{image}: {int(docker.state(image, '.Size')) / 1e6:.0f} MB")
                self.assertNotEqual(self.shell(image, "id -u").stdout.strip(), "0")
                found = self.shell(image, "command -v cc gcc g++ ld make cmake pip python3").stdout
                self.assertEqual(found, "")
                self.assertEqual(self.shell(image, "sha256sum /etc/ssl/certs/ca-certificates.crt").stdout, base)
                words = docker.ask("history", "--no-trunc", "--format", "{{.CreatedBy}}", image) + docker.ask("inspect", image)
                self.assertNotRegex(words.lower(), r"https?://|_proxy|index-url")
                self.assertNotEqual(docker.state(image, ".Config.Healthcheck"), "<nil>")

    def test_work_under_a_root_that_cannot_be_written_and_without_capabilities(self):
        done = docker.do("docker", "run", "--rm", "--label", "muster.test", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL",
                         "--security-opt", "no-new-privileges", "--network", "none", "-v", f"{MODELS}:/models:ro", "--entrypoint",
                         "/usr/bin/muster-engine", "muster-worker:0.1.0", "info", "--model", SMOL_THERE)
        self.assertIn('"parameters"', done.stdout)


class WholePool(ContainerTest):
    def test_up_is_a_pool_that_runs_a_job_and_keeps_what_it_was_told(self):
        began = time.monotonic()
        self.compose("up", "-d")
        whole = ["coordinator", "idle", "idle", "storage", "storage"]
        self.assertTrue(until(lambda: self.states() == whole), "not all came in")
        say(f"the pool is up after {time.monotonic() - began:.1f} s")
        run = docker.begin("docker-compose", "-f", f"{CHECKOUT}/docker-compose.yml", "-f", self.models, "run", "--rm", "-T", "run",
                           "--llm_name", SMOL_THERE, "--limit", str(LIMIT))
        self.assert_table(run)
        for name in docker.ask("ps", "-q").split():
            eventually(lambda name=name: docker.state(name, ".State.Health.Status") == "healthy", "a container is not healthy")
            self.assertEqual(docker.state(name, ".HostConfig.ReadonlyRootfs"), "true")
            self.assertEqual(docker.state(name, ".HostConfig.CapDrop"), "[ALL]")
        self.assertIn("done", self.on_server("jobs").stdout)
        self.compose("stop")
        for name in docker.ask("ps", "-aq").split():
            self.assertEqual(docker.state(name, ".State.ExitCode"), "0", docker.state(name, ".Name"))
        self.compose("up", "-d")
        self.assertIn("done", self.on_server("jobs").stdout)
        self.assertTrue(until(lambda: self.states() == whole), "not all came back")

    def test_sigterm_ends_each_as_the_first_process(self):
        self.gather(slaves=3)
        for name in ("slave-3", "master", "muster_server_1", "muster_sql_1"):
            began = time.monotonic()
            docker.do("docker", "stop", "-t", "30", name)
            say(f"{name} stops in {time.monotonic() - began:.2f} s")
            self.assertEqual(docker.state(name, ".State.ExitCode"), "0", docker.said(name)[-2000:])

    def test_a_refused_token_is_77_and_waits_longer_each_time(self):
        self.start_server()
        token = json.loads(self.on_server("token", "create", "--json").stdout)
        self.on_server("token", "revoke", token["token"])
        self.run_container("refused", "--restart=on-failure", "-e", "MUSTER_TOKEN=" + token["word"], "sit-distributed-slave",
                           "--ip", HOST, "--port", "30000")
        docker.wait_for("refused", "token .*revoked", count=4)
        self.assertEqual(docker.state("refused", ".State.ExitCode"), "77")
        begun = int(docker.state("refused", ".RestartCount"))
        time.sleep(20)  # What is claimed is about time.
        again = int(docker.state("refused", ".RestartCount")) - begun
        say(f"a refused machine was begun again {again} times in 20 s")
        self.assertLess(again, 8)


class Manual(ContainerTest):
    def test_scenario_1_the_flawless_run(self):
        self.gather()
        run = self.begin_researcher()
        self.assert_table(run)
        for store in ("slave-1", "slave-2"):
            self.assertRegex(docker.said(store), r"storage: \d+ records of .* stored")

    def test_scenario_2_several_failures(self):
        self.gather()
        run = self.begin_researcher()
        docker.wait_for("slave-6", r"lease \d+: ")
        docker.do("docker", "kill", "slave-6")
        docker.wait_for("muster_server_1", "is gone: its line closed")
        docker.do("docker", "kill", "master")
        run.wait_for("coordinator lost, waiting")
        docker.do("docker", "start", "master")
        docker.wait_for("master", "taking over")
        docker.wait_for("slave-1", r"storage: \d+ records of .* stored")
        docker.do("docker", "kill", "slave-1")
        docker.wait_for("muster_server_1", "storage node .* is down and leaves the view")
        docker.wait_for("muster_server_1", "becomes a storage node", count=3)
        self.assert_table(run)


if __name__ == "__main__":
    unittest.main()
