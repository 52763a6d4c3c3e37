"""Who gets in, and who does not: certificates, tokens, and what strangers do to the port."""
import json
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import Process, free_port  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import HubPoolTest, PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

SILENT = 200


class Strangers(PoolTest):
    """What reaches the port without being muster."""

    def setUp(self):
        super().setUp()
        self.start_pool([], coordinator=False)

    def connect(self):
        stranger = socket.create_connection(("127.0.0.1", self.port), 10)
        self.addCleanup(stranger.close)
        return stranger

    def greet(self, name, version=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = version
        stranger = context.wrap_socket(self.connect(), server_hostname=name)
        self.addCleanup(stranger.close)
        return stranger

    def assert_closed(self, stranger):
        """Nothing comes any more; it waits for the end as long as the server takes."""
        stranger.settimeout(30)
        try:
            while stranger.recv(4096):
                pass
        except (ConnectionError, ssl.SSLError) as error:
            self.assertNotIsInstance(error, TimeoutError)

    def assert_lives(self):
        self.assertEqual(self.muster("status").returncode, 0)

    def test_plain_text_gets_no_answer(self):
        stranger = self.connect()
        stranger.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        self.assert_closed(stranger)
        self.assert_lives()

    def test_nothing_below_tls_1_3(self):
        for name in ("server.muster", "join.muster"):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                self.greet(name, ssl.TLSVersion.TLSv1_2)

    def test_without_a_certificate_nobody_speaks_to_the_pool(self):
        for name in ("server.muster", "elsewhere.example", None):
            try:
                stranger = self.greet(name)
                stranger.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                self.assert_closed(stranger)
            except (ssl.SSLError, ConnectionError):
                pass
        self.assert_lives()

    def test_the_door_hears_one_small_request(self):
        for words in (b"", b"\0\0\0\4junk", struct.pack(">I", 1 << 31), struct.pack(">I", 16384) + b"x" * 16384):
            stranger = self.greet("join.muster")
            stranger.sendall(words)
            if not words:
                stranger.unwrap = lambda: None
                stranger.shutdown(socket.SHUT_WR)
            self.assert_closed(stranger)
        self.assert_lives()

    def test_the_silent_and_the_half_open_hold_nobody_up(self):
        strangers = [self.connect() for _ in range(SILENT)]
        for stranger in strangers[::2]:
            stranger.sendall(b"\x16\x03\x01\x02")  # The beginning of a greeting.
        half = [self.greet("join.muster") for _ in range(10)]
        for stranger in half:
            stranger.sendall(b"\0")
        self.start("worker", "--role", "compute").wait_for("connected to the server")
        self.assert_lives()
        for stranger in strangers + half:
            self.assert_closed(stranger)


class Tokens(PoolTest):
    """By what somebody gets in."""

    def setUp(self):
        super().setUp()
        self.start_pool([], coordinator=False)
        self.elsewhere = {"XDG_STATE_HOME": self.path("elsewhere")}  # As on another machine: nothing is left there.

    def token_file(self, server=None):
        return os.path.join((server or self.server).state, "operator.token")

    def test_a_machine_joins_with_it_once_and_comes_back_without(self):
        state = self.path("lent")
        self.start("worker", "--token_file", self.token_file(), state=state, env=self.elsewhere).wait_for("connected to")
        self.daemons.pop().stop()
        self.start("worker", state=state, env=self.elsewhere).wait_for("connected to")
        self.assertEqual(os.stat(os.path.join(state, "membership.pem")).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.token_file()).st_mode & 0o777, 0o600)

    def test_a_researcher_elsewhere_needs_it(self):
        done = self.muster("status", "--token_file", self.token_file(), env=self.elsewhere)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.token_file()) as file:
            word = file.read()
        self.assertEqual(self.muster("status", env={**self.elsewhere, "MUSTER_TOKEN": word}).returncode, 0)
        self.assert_fails(self.muster("status", env=self.elsewhere), 69, "token")

    def test_of_another_pool_spent_cut_or_mistyped(self):
        other = self.start("server", port=free_port())
        other.wait_for("serving on")
        with open(self.token_file()) as file:
            word = file.read().strip()
        shutil.copy(self.token_file(), self.path("before"))
        self.server.stop()
        self.server = self.start("server", state=self.server.state)
        self.server.wait_for("serving on")
        rows = {self.token_file(other): (77, "another pool"), self.path("before"): (77, "does not know this token")}
        for name, text, code in (("cut", word[:40], 2), ("mistyped", word[:-1] + ("A" if word[-1] != "A" else "B"), 2),
                                 ("empty", "", 2)):
            with open(self.path(name), "w") as file:
                file.write(text)
            rows[self.path(name)] = (code, "token")
        for path, (code, words) in rows.items():
            with self.subTest(path=path):
                self.assert_fails(self.muster("status", "--token_file", path), code, words)
                worker = self.start("worker", "--token_file", path)
                self.assertEqual(worker.wait(), code, worker.lines)
                self.assertIn(words, "\n".join(worker.lines))
        self.assert_fails(self.muster("status", "--token_file", self.path("none")), 78, "none")

    def test_what_does_without_tls_and_what_does_not_tell_each_other_nothing(self):
        self.assert_fails(self.muster("status", "--insecure"), 69, "--insecure")
        self.start("worker", "--insecure").wait_for("without TLS")
        port = free_port()
        self.start("server", "--insecure", port=port).wait_for("serving on")
        self.assertEqual(self.muster("status", "--port", str(port), "--insecure").returncode, 0)
        self.assert_fails(self.muster("status", "--port", str(port), "--token_file", self.token_file()), 69, "TLS")
        self.start("worker", "--token_file", self.token_file(), port=port).wait_for("does not speak TLS")


class TokensOfAnOperator(PoolTest):
    """token create, ls, revoke; what each lets in, and for how long."""

    def setUp(self):
        super().setUp()
        self.start_pool([], coordinator=False)
        self.elsewhere = {"XDG_STATE_HOME": self.path("elsewhere")}  # As on another machine: nothing is left there.

    def make(self, role, *arguments):
        done = self.muster("token", "create", "--role", role, "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def by(self, token):
        return {**self.elsewhere, "MUSTER_TOKEN": token["word"]}

    def lend(self, token, role="worker", *arguments, **more):
        return self.start(role, *arguments, env=self.by(token), **more)

    def rows(self):
        return {row["token"]: row for row in json.loads(self.muster("token", "ls", "--all", "--json").stdout)["tokens"]}

    def jobs(self, **more):
        return [json.loads(line) for line in self.muster("jobs", "--json", **more).stdout.splitlines()]

    def assert_sent_away(self, process, code, words):
        self.assertEqual(process.wait(), code, process.lines)
        self.assertIn(words, "\n".join(process.lines))

    def test_lets_in_as_many_as_it_is_for_and_what_it_is_for(self):
        token = self.make("worker", "--owner", "lab", "--uses", "1")
        self.assert_sent_away(self.lend(token, "coordinator"), 77, "not for a coordinator")
        state = self.path("lent")
        first = self.lend(token, state=state)
        first.wait_for("connected to")
        self.assert_sent_away(self.lend(token), 77, "spent")
        machine = json.loads(self.muster("status", "--json").stdout)["machines"][0]
        self.assertEqual(machine["owner"], "lab")
        first.stop()
        self.lend(token, state=state).wait_for("connected to")
        self.assert_fails(self.muster("status", env=self.by(token)), 77, "spent")
        self.assertEqual(self.rows()[token["token"]]["state"], "spent")
        self.assertNotIn(token["token"], self.muster("token", "ls").stdout)

    def test_a_machine_is_not_of_the_owner_that_it_says(self):
        self.lend(self.make("worker", "--owner", "lab"), "worker", "--owner", "other").wait_for("connected to")
        self.start("worker", "--owner", "by an operator").wait_for("connected to")
        self.assertEqual({machine["owner"] for machine in json.loads(self.muster("status", "--json").stdout)["machines"]},
                         {"lab", "by an operator"})

    def test_whom_a_revoked_one_let_in_is_sent_away_and_stays_out(self):
        token, other = self.make("worker"), self.make("worker")
        state = self.path("lent")
        sent, stays = self.lend(token, state=state), self.lend(other)
        for worker in (sent, stays):
            worker.wait_for("connected to")
        self.assertEqual(self.muster("token", "revoke", token["token"][:12]).returncode, 0)
        self.assert_sent_away(sent, 77, "revoked")
        self.assert_sent_away(self.lend(token, state=state), 77, "revoked")
        self.server.stop()
        self.server = self.start("server", state=self.server.state)
        stays.wait_for("connected to", count=2)
        self.assert_sent_away(self.lend(token, state=state), 77, "revoked")
        self.lend(self.make("worker"), state=state).wait_for("connected to")
        self.assert_fails(self.muster("token", "revoke", "f" * 16), 78, "no such token")

    def test_a_copy_of_a_certificate_is_worth_nothing_after_it(self):
        token = self.make("worker")
        worker = self.lend(token)
        worker.wait_for("connected to")
        shutil.copytree(worker.state, self.path("copy"))
        self.muster("token", "revoke", token["token"])
        self.assert_sent_away(worker, 77, "revoked")
        self.assert_sent_away(self.start("worker", state=self.path("copy"), env=self.elsewhere), 77, "revoked")

    def test_a_researcher_has_jobs_of_their_own_and_no_more(self):
        alice, bob = self.make("researcher", "--owner", "alice"), self.make("researcher", "--owner", "bob")
        self.start("coordinator").wait_for("connected to")
        run = self.begin_run("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2", "--json", env=self.by(alice))
        job = eventually(lambda: self.jobs(env=self.by(bob)), "no job")[0]
        self.assertEqual(job["researcher"], "alice")
        job = job["job"]
        self.assert_fails(self.muster("cancel", job, env=self.by(bob)), 77, "alice")
        for command in (["token", "create"], ["token", "ls"], ["token", "revoke", alice["token"]], ["pardon", "ab"],
                        ["machine", "remove", "ab"]):
            self.assert_fails(self.muster(*command, env=self.by(bob)), 77, "only an operator")
        self.assertEqual(self.muster("cancel", job, env=self.by(alice)).returncode, 0)
        self.assertEqual(run.wait(), 1)

    def test_who_watches_by_a_revoked_one_is_told(self):
        alice = self.make("researcher", "--owner", "alice")
        self.start("coordinator").wait_for("connected to")
        run = self.begin_run("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2", "--json", env=self.by(alice))
        eventually(self.jobs, "no job")
        self.muster("token", "revoke", alice["token"])
        self.assertEqual(run.wait(), 77)
        self.assertIn("revoked", "\n".join(run.lines))
        self.assert_fails(self.muster("status", env=self.by(alice)), 77, "revoked")

    def test_a_removed_machine_is_sent_away_and_stays_out_until_it_is_pardoned(self):
        token = self.make("worker")
        state = self.path("lent")
        sent, stays = self.lend(token, state=state), self.lend(token)
        for worker in (sent, stays):
            worker.wait_for("connected to")
        machine = next(re.search("machine ([0-9a-f]{16})", line)[1] for line in sent.lines if "machine " in line)
        self.assert_fails(self.muster("machine", "remove", "x"), 78, "no machine")
        self.assertEqual(self.muster("machine", "remove", machine[:8]).returncode, 0)
        self.assert_sent_away(sent, 77, "an operator has removed it")
        self.assert_sent_away(self.lend(token, state=state), 77, "an operator has removed it")
        rows = {row["machine"]: row for row in json.loads(self.muster("machine", "ls", "--json").stdout)["machines"]}
        self.assertEqual(len(rows), 2)
        self.assertEqual(rows[machine]["state"], "removed")
        self.assertIn("an operator has removed it", self.muster("why", machine).stdout)
        self.server.stop()
        self.server = self.start("server", state=self.server.state)
        stays.wait_for("connected to", count=2)
        fresh = self.make("worker")
        self.assert_sent_away(self.lend(fresh, state=state), 77, "an operator has removed it")
        self.assertEqual(self.muster("pardon", machine).returncode, 0)
        self.lend(fresh, state=state).wait_for("connected to")
        never = "0123456789abcdef"
        self.assertEqual(json.loads(self.muster("machine", "remove", never, "--json").stdout)["machine"], never)

    def test_the_printed_command_is_what_joins(self):
        done = self.muster("token", "create", "--print_join_command")
        self.assertRegex(done.stdout, r"^MUSTER_TOKEN=muster_\S{80} muster worker --ip \S+ --port \d+\n$")
        self.assertIn("this machine alone", done.stderr)
        command = done.stdout.replace(" muster ", f" exec {self.program} ", 1).strip()
        worker = Process(["sh", "-c", f"{command} --state_dir {self.path('joined')}"], env=self.elsewhere)
        self.daemons.append(worker)
        worker.wait_for("connected to")

    def test_the_printed_docker_command_is_one_of_a_shell_and_asks_for_gpus_where_docker_has_some(self):
        programs = self.path("programs")
        os.mkdir(programs)

        def program(name, text):
            with open(os.path.join(programs, name), "w") as file:
                file.write("#!/bin/sh\n" + text)
            os.chmod(file.name, 0o755)

        program("docker", 'printf "%s\n" "$@"\n')
        made = self.muster("token", "create", "--print_docker_command", "--address", "pool.example")
        self.assertEqual((made.returncode, made.stderr), (0, ""))

        def runs():
            shell = subprocess.run(["sh", "-c", made.stdout], capture_output=True, text=True, check=True,
                                   env={"PATH": programs + ":/usr/bin:/bin"})
            return re.sub(r"muster_\S{80}", "TOKEN", shell.stdout).split("\n")[:-1]

        begin = ["run", "-d", "--restart=on-failure", "-e", "MUSTER_TOKEN=TOKEN"]
        end = ["muster-worker:0.1.0", "worker", "--status_port", "8787", "--ip", "pool.example", "--port", str(self.port)]
        self.assertEqual(runs(), begin + end)
        program("nvidia-container-cli", "")
        self.assertEqual(runs(), begin + ["--gpus=all"] + end)
        master = self.muster("token", "create", "--role", "coordinator", "--print_docker_command", "--address", "there:7").stdout
        self.assertRegex(master, r"muster-worker:0\.1\.0 coordinator --ip there --port 7\n$")
        self.assert_fails(self.muster("token", "create", "--role", "researcher", "--print_docker_command"), 2, "worker's")

    def test_who_logs_in_is_at_the_pool_from_then_on(self):
        alice, lent = self.make("researcher", "--owner", "alice", "--uses", "1"), self.make("worker", "--uses", "1")
        at = {**self.elsewhere, "XDG_CONFIG_HOME": self.path("alice")}
        self.assert_fails(self.muster("login", lent["word"], env=at), 77, "it is for 'muster worker'")
        self.assert_fails(self.muster("login", alice["word"][:-1], env=at), 2, "token")
        done = self.muster("login", env={**at, **self.by(alice)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("alice, researcher", done.stdout)
        at["MUSTER_SERVER"] = ""  # From here on it is known where.
        for _ in range(2):
            self.assertEqual(self.muster("status", env=at).returncode, 0)
        self.assert_fails(self.muster("status", "--port", str(free_port()), env=at), 69, "no muster server answers")
        file = self.path("alice", "muster", "login.json")
        self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
        self.assert_fails(self.muster("token", "ls", env=at), 77, "only an operator")
        self.muster("token", "revoke", alice["token"])
        self.assert_fails(self.muster("status", env=at), 77, "revoked")
        with open(file, "a") as end:
            end.write("}")
        self.assert_fails(self.muster("status", env=at), 78, file, "log in again")
        for words in ("logged out", "nobody"):
            self.assertIn(words, self.muster("logout", env=at).stdout)

    def test_bad_input(self):
        for arguments, code, words in ((["create", "--ttl", "soon"], 2, "no time span"), (["create", "--ttl", "0s"], 2, "0s"),
                                       (["create", "--uses", "-1"], 2, "range"), (["create", "--role", "king"], 2, "king"),
                                       (["create", "--owner", "x" * 65], 2, "64"), (["revoke", ""], 78, "no such"), ([], 2, "")):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.muster("token", *arguments), code, words)


class Orders(HubPoolTest):
    def test_that_wait_for_the_hub_wait_no_more_when_their_token_is_revoked(self):
        self.start_pool([], env=self.env)
        done = self.muster("token", "create", "--role", "researcher", "--json")
        token = json.loads(done.stdout)
        run = self.begin_run("--llm_name", "lab/slow", "--limit", "1", env={"MUSTER_TOKEN": token["word"]})
        self.hub.dribbling.acquire()  # The coordinator asks.
        self.muster("token", "revoke", token["token"])
        self.assertEqual(run.wait(), 77)
        self.assertIn("revoked", "\n".join(run.lines))


class AnotherPool(PoolTest):
    def test_whose_server_has_begun_anew_takes_its_machines_back(self):
        self.start_pool([["--role", "compute"]], coordinator=False)
        worker = self.workers[0]
        worker.wait_for("connected to the server")
        self.server.stop()
        shutil.rmtree(self.server.state)
        self.start("server", state=self.server.state).wait_for("worker .* joined")
        worker.wait_for("connected to the server", count=2)

    def test_what_is_left_for_machines_beside_the_server_lets_in_these_and_no_others(self):
        tokens = self.path("tokens")
        os.mkdir(tokens)
        self.start("server", "--token_dir", tokens).wait_for("serving on")
        elsewhere = {"XDG_STATE_HOME": self.path("elsewhere")}
        for role in ("worker", "coordinator"):
            file = os.path.join(tokens, f"{role}.token")
            self.assertEqual(os.stat(file).st_mode & 0o777, 0o600)
            self.start(role, "--token_file", file, env=elsewhere).wait_for("connected to the server")
        asked = self.muster("jobs", "--json", "--token_file", os.path.join(tokens, "researcher.token"), env=elsewhere)
        self.assertEqual((asked.returncode, asked.stderr), (0, ""))
        other = self.start("coordinator", "--token_file", os.path.join(tokens, "worker.token"), env=elsewhere)
        self.assertEqual(other.wait(60), 77)
        asked = self.muster("token", "ls", "--token_file", os.path.join(tokens, "worker.token"), env=elsewhere)
        self.assert_fails(asked, 77, "this token is a worker's")

    def test_a_lost_key_of_the_authority_is_not_made_anew(self):
        self.start_pool([], coordinator=False)
        self.server.stop()
        os.remove(os.path.join(self.server.state, "authority.key"))
        server = self.start("server", state=self.server.state)
        self.assertEqual(server.wait(), 74)
        self.assertIn("authority.key", "\n".join(server.lines))


if __name__ == "__main__":
    unittest.main()
