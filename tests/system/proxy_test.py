"""A lender who gets out through a proxy alone: his machine is a network namespace without a way to the server."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.connect_proxy import ConnectProxy  # noqa: E402
from pool.namespaces import WireTest, needs_namespaces  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import HubPoolTest, PoolTest  # noqa: E402

RIGHT, WRONG = "ada:se:cret", "ada:wrong"
NOBODY = "http://127.0.0.1:1"


@needs_namespaces
class BehindAProxy(WireTest, PoolTest):
    def setUp(self):
        super().setUp()
        self.set_up_wire()
        self.proxy = ConnectProxy(self.here[0])
        self.addCleanup(self.proxy.stop)
        self.start_server()

    def start_server(self):
        self.server = self.start("server", "--ip", "0.0.0.0", state=self.path("server"))
        self.server.wait_for("serving on")

    def join_command(self, *arguments, host=None):
        """What is printed, with an address that the other machine has no way to."""
        done = self.muster("token", "create", "--print_join_command", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        words = done.stdout.split()
        words[words.index("--ip") + 1] = host or self.beyond
        return " ".join(words)

    def lend(self, number=1, **more):
        state = self.path(f"lent-{number}")
        return self.begin_inside(self.join_command("--owner", "lab"), "--threads 1 --state_dir", state, **more)

    def log_in(self):
        done = self.run_inside(self.join_command("--role", "researcher"), "--proxy", self.proxy.url_for(RIGHT))
        self.assertEqual(done.returncode, 0, done.stderr)

    def assert_silent_of_passwords(self, *texts):
        for text in texts:
            for word in (RIGHT, WRONG, "se:cret", "wrong"):
                self.assertNotIn(word, text)

    def test_a_worker_joins_works_and_is_back_when_the_server_is(self):
        self.proxy.password = RIGHT
        url = {"HTTPS_PROXY": self.proxy.url_for(RIGHT), "https_proxy": ""}
        self.start("coordinator").wait_for("connected to")
        workers = [self.lend(number, env=url) for number in range(2)]
        for worker in workers:
            worker.wait_for(rf"connected to the server at {self.beyond}:.* through the proxy at {self.proxy.address} \(HTTPS")
        self.log_in()
        run = ["muster run --limit 2 --tasks tinyHellaswag --llm_name", NEOX, "--proxy", self.proxy.url_for(RIGHT)]
        done = self.run_inside(*run)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("acc_norm", done.stdout)
        self.server.stop()
        for worker in workers:
            worker.wait_for("the line to the server is lost")
        self.start_server()
        for worker in workers:
            worker.wait_for("connected to the server", 2)
        done = self.run_inside(*run, "--force")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(self.proxy.asked), {f"{self.beyond}:{self.port}"})
        self.assertGreater(self.proxy.carried, 6)
        self.assert_silent_of_passwords(done.stderr, *(line for worker in workers for line in worker.lines))

    def test_a_wrong_password(self):
        self.proxy.password = RIGHT
        worker = self.lend(env={"https_proxy": self.proxy.url_for(WRONG)})
        worker.wait_for(r"refuses the user or the password \(407\): check what https_proxy says; trying on")
        done = self.run_inside(self.join_command("--role", "researcher"), "--proxy", self.proxy.url_for(WRONG))
        self.assert_fails(done, 77, f"the proxy at {self.proxy.address} (--proxy) refuses the user or the password (407)")
        self.assert_silent_of_passwords(done.stderr, *worker.lines)
        done = self.run_inside("muster status --ip", self.beyond, "--proxy", f"http://{WRONG}")
        self.assert_fails(done, 2, "--proxy: must be http://[USER:PASSWORD@]HOST:PORT")
        self.assert_silent_of_passwords(done.stderr)
        self.assertTrue(worker.alive())
        self.assertEqual(worker.count("407"), 1)

    def test_who_has_logged_in_is_told_as_well(self):
        self.proxy.password = RIGHT
        self.log_in()
        done = self.run_inside("muster status --proxy", self.proxy.url)
        self.assert_fails(done, 77, "wants a user and a password (407)")
        self.assertEqual(len(self.proxy.asked), 2, "it is asked once at the door, and once for the call")

    def test_what_is_no_proxy(self):
        self.log_in()
        self.proxy.answer = b"HTTP/1.1 403 Forbidden\r\n\r\n"
        self.assert_fails(self.run_inside("muster status --proxy", self.proxy.url), 77, "port 443")
        cases = (("silent", "said nothing in time"), ("endless", "its headers do not end"),
                 (b"SSH-2.0-OpenSSH\x1b[2J\r\n", "is no HTTP proxy"), (b"HTTP/1.1 502 Bad\x07\r\n\r\n", "(502 'Bad"))
        for answer, words in cases:
            self.proxy.answer = answer
            done = self.run_inside("muster status --proxy", self.proxy.url)
            self.assert_fails(done, 69, f"the proxy at {self.proxy.address} (--proxy) ", words)
            self.assertNotRegex(done.stderr, r"[\x00-\x09\x0b-\x1f]")
        self.proxy.answer = "endless"
        worker = self.lend(env={"https_proxy": self.proxy.url})
        worker.wait_for("its headers do not end.*; trying on")
        asked = len(self.proxy.asked)
        worker.wait_until(lambda: len(self.proxy.asked) > asked, "it does not try on")
        self.assertEqual(worker.count("headers"), 1)
        self.proxy.answer = None
        worker.wait_for("connected to the server")
        self.assertEqual(self.run_inside("muster status --proxy", self.proxy.url).returncode, 0)

    def test_no_proxy_is_direct(self):
        direct, variables = self.here[1], {"https_proxy": self.proxy.url}
        blocks = {**variables, "NO_PROXY": f"example.org,{direct}/32"}
        command = self.join_command("--owner", "lab", host=direct)
        worker = self.begin_inside(command, "--state_dir", self.path("lent"), env=blocks)
        worker.wait_for(f"connected to the server at {direct}:{self.port}$")
        login = self.join_command("--role", "researcher", host=direct)
        self.assertEqual(self.run_inside(login, env=blocks).returncode, 0)
        self.assertEqual(self.run_inside("muster status --proxy none", env=variables).returncode, 0)
        self.assertEqual(self.run_inside("muster status --proxy", self.proxy.url, env=blocks).returncode, 0)
        self.assertEqual(self.proxy.asked, [])
        self.assertEqual(self.run_inside("muster status", env=variables).returncode, 0)
        self.assertEqual(set(self.proxy.asked), {f"{direct}:{self.port}"})


class OnOneMachine(HubPoolTest):
    def test_nothing_on_this_machine_goes_through_a_proxy(self):
        nobody = {name: NOBODY for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy")}
        self.env = {**self.env, **nobody}
        self.start_pool([["--proxy", NOBODY]] * 2, env=self.env)
        done = self.muster("run", "--llm_name", "lab/tiny", "--tasks", "tinyHellaswag", "--limit", "2", "--proxy", NOBODY,
                           env=self.env)
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
