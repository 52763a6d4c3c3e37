"""Wrong input: a clear sentence on stderr, the documented exit code, nothing half-written."""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import score_command, write_requests  # noqa: E402
from pool.processes import free_port  # noqa: E402
from pool.programs import MUSTER, NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402


def edit_json(path, changes):
    with open(path) as file:
        content = json.load(file)
    with open(path, "w") as file:
        json.dump({**content, **changes}, file)


class BadInput(PoolTest):
    def run_with(self, *arguments):
        return self.muster("run", *arguments)

    def model_copy(self, **changes):
        folder = self.path(f"model-{len(os.listdir(self.folder))}")
        shutil.copytree(NEOX, folder)
        edit_json(os.path.join(folder, "config.json"), changes)
        return folder

    def test_words_that_cannot_work(self):
        self.assert_fails(self.run_with("--llm_name", NEOX, "--tasks", "tinyMLU"), 78, "nearest is tinyMMLU")
        self.assert_fails(self.run_with("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--num_fewshot", "10"), 78, "num_fewshot")
        self.assert_fails(self.run_with("--llm_name", NEOX, "--limit", "0"), 2, "--limit", "must be more than 0")
        self.assert_fails(self.muster("frobnicate"), 2, "no command is called 'frobnicate'")
        self.assert_fails(self.run_with("--llm_name", NEOX, "--nonsense"), 2, "nonsense")
        self.assert_fails(self.run_with("--tasks", "tinyMMLU"), 2, "--llm_name")
        self.assert_fails(self.run_with("--llm_name", "no such thing"), 78, "neither a directory nor a name")
        self.assert_fails(self.muster("nonsense"), 2)
        self.assert_fails(self.muster("requests", "tinyhelaswag"), 78, "tinyHellaswag")

    def test_directories_that_are_no_models(self):
        os.mkdir(self.path("empty"))
        self.assert_fails(self.run_with("--llm_name", self.path("empty")), 78, "config.json")
        self.assert_fails(self.run_with("--llm_name", self.path("nowhere")), 78, "no such directory")
        self.assert_fails(self.run_with("--llm_name", self.model_copy(model_type="mamba")), 78, "model_type", "mamba")
        self.assert_fails(self.run_with("--llm_name", self.model_copy(hidden_act="swish_2")), 78, "hidden_act")

        pickled = self.model_copy()
        os.rename(os.path.join(pickled, "model.safetensors"), os.path.join(pickled, "pytorch_model.bin"))
        self.assert_fails(self.run_with("--llm_name", pickled), 78, "pickled", "save_pretrained")

        cut = self.model_copy()
        os.truncate(os.path.join(cut, "model.safetensors"), 1_000_000)
        self.assert_fails(self.run_with("--llm_name", cut), 78, "truncated")

        odd = self.model_copy()
        edit_json(os.path.join(odd, "tokenizer.json"), {"normalizer": {"type": "Lowercase"}})
        self.assert_fails(self.run_with("--llm_name", odd), 78, "normalizer.type = Lowercase")

    def test_numbers_that_are_none_and_text_that_is_not_one_line(self):
        wrong_numbers = ("nan", "-nan", "inf", "-inf", "-1", "1e99", "x", "")
        cases = [(("run", "--llm_name", NEOX), "--limit", wrong_numbers + ("0",)),
                 (("run", "--llm_name", NEOX), "--quorum_wait", wrong_numbers + ("0",)),
                 (("run", "--llm_name", NEOX), "--num_fewshot", wrong_numbers),
                 (("run", "--llm_name", NEOX), "--redundancy", wrong_numbers + ("0", "6")),
                 (("run", "--llm_name", NEOX), "--username", ("a" * 65, "a\nb", "\x1b[31m", "\u202ea")),
                 (("run",), "--llm_name", ("a" * 1001, "a\nb")),
                 (("run", "--llm_name", NEOX), "--port", wrong_numbers + ("0", "65536")),
                 (("run", "--llm_name", NEOX), "--ip", ("a" * 256, "a\nb")),
                 (("requests", "tinyMMLU"), "--limit", wrong_numbers + ("0",)),
                 (("server",), "--retain", wrong_numbers),
                 (("server",), "--storage_nodes", wrong_numbers + ("0", "8")),
                 (("server",), "--quarantine_after", wrong_numbers),
                 (("worker",), "--threads", wrong_numbers + ("0",)),
                 (("worker",), "--storage_port", wrong_numbers + ("65536",)),
                 (("worker",), "--owner", ("a" * 65, "a\nb", "\x1b[31m")),
                 (("worker",), "--role", ("", "none")),
                 (("sim",), "--count", wrong_numbers + ("0",)),
                 (("sim",), "--seed", wrong_numbers),
                 (("sim",), "--liars", wrong_numbers + ("0",)),
                 (("sim",), "--nodes", wrong_numbers + ("0",))]
        for command, flag, values in cases:
            for value in values:
                with self.subTest(command=command[0], flag=flag, value=value):
                    self.assert_fails(self.muster(*command, f"{flag}={value}"), 2, flag)

    def test_names_that_lead_elsewhere(self):
        for name in ("a/b@../../../token", "a/..", "a/b@/etc/passwd", "a/" + "b" * 97, "a/b@" + "c" * 97, "a--b/c"):
            self.assert_fails(self.run_with("--llm_name", name), 78, "neither a directory nor a name")
        self.assert_fails(self.run_with("--llm_name", NEOX, "--tasks", "tinyMMLU,tinyMMLU"), 2, "twice")

    def test_an_address_of_version_6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
                self.port = probe.getsockname()[1]
        except OSError:
            self.skipTest("this machine has no ::1")
        server = self.start("server", "--ip", "::1")
        server.wait_for(rf"serving on \[::1\]:{self.port}")
        self.start("worker", "--ip", "::1")
        server.wait_for("worker .* joined")
        for variable, flags in ((f"[::1]:{self.port}", ()), ("there:1", ("--ip", "::1", "--port", str(self.port)))):
            done = self.muster("status", "--json", *flags, env={"MUSTER_SERVER": variable})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(len(json.loads(done.stdout)["machines"]), 1)

    def test_a_server_that_is_not_there(self):
        self.assert_fails(self.run_with("--llm_name", NEOX), 69, "no muster server answers", str(self.port))
        self.assert_fails(self.muster("status"), 69, "no muster server answers")

    def test_a_port_in_use_and_a_folder_in_use(self):
        self.start_pool([], coordinator=False)
        second = self.start("server")
        self.assertEqual(second.wait(), 69)
        self.assertIn("in use", "\n".join(second.lines))
        twin = self.start("server", state=self.server.state)
        self.assertEqual(twin.wait(), 69)
        self.assertIn("--state_dir", "\n".join(twin.lines))

    def test_nobody_does_without_tls_but_on_loopback(self):
        done = self.muster("server", "--ip", "0.0.0.0", "--port", str(free_port()), "--state_dir", self.path("s"),
                           "--insecure")
        self.assert_fails(done, 77, "--insecure")
        self.assert_fails(self.muster("status", "--ip", "192.0.2.1", "--insecure"), 77, "--insecure")

    def test_no_coordinator_to_look_a_name_up(self):
        self.start_pool([], coordinator=False)
        self.assert_fails(self.run_with("--llm_name", "EleutherAI/pythia-14m"), 75, "no coordinator")

    def test_a_state_folder_that_cannot_be_made(self):
        with open(self.path("file"), "w"):
            pass
        done = self.muster("server", "--port", str(free_port()), "--state_dir", self.path("file", "below"))
        self.assert_fails(done, 74)

    def test_the_engine_on_broken_requests_writes_nothing(self):
        for line, word in (("{", "JSON"), ('{"context": "a"}', "continuation"), ('{"context": 1, "continuation": "b"}', "context"),
                           ('{"context": "a", "continuation": ""}', "continuation")):
            write_requests(self.path("in"), [("a", " b")])
            with open(self.path("in"), "a") as out:
                out.write(line + "\n")
            self.assert_fails(self.score("in"), 78, word)
            self.assertFalse(os.path.exists(self.path("out")))
        self.assert_fails(self.score("none"), 78, "none")

    def score(self, requests):
        command = score_command(NEOX, self.path(requests), self.path("out"))
        return subprocess.run(command, capture_output=True, text=True)

    def test_every_command_has_help_that_ends_with_an_example(self):
        for command in ("run", "status", "jobs", "cancel", "requests", "server", "worker", "coordinator"):
            done = subprocess.run([MUSTER, command, "--help"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0)
            self.assertIn("Example:", done.stdout.strip().splitlines()[-2])
        self.assertEqual(subprocess.run([MUSTER, "--version"], capture_output=True, text=True).returncode, 0)


class Stopping(PoolTest):
    def test_daemons_end_with_0_when_told_to(self):
        self.start_pool([[]] * 2)
        self.assertEqual(self.forget_daemons(), [0] * 4)

    def test_a_researcher_who_leaves_can_come_back(self):
        self.start_pool([["--role", "storage"]] * 2)
        run = self.begin_run("--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2")
        self.server.wait_for("goes to coordinator")
        run.send_signal(signal.SIGINT)
        code, _, words = run.end(60)
        self.assertEqual(code, 130)
        self.assertIn("muster cancel", words)
        for _ in range(2):
            self.start("worker", "--role", "compute", "--threads", "1")
        lines = self.run_job("--tasks", "tinyHellaswag", "--limit", "2", model=NEOX)
        self.assertTrue(lines[0]["attached"])
        self.assertEqual(lines[-1]["state"], "done")

    def test_a_job_can_be_cancelled(self):
        self.start_pool([["--role", "storage"]] * 2)
        run = self.begin_run("--llm_name", NEOX, "--limit", "2")
        self.server.wait_for("goes to coordinator")
        (job,) = json.loads(self.muster("status", "--json").stdout)["jobs"]
        self.assertEqual(self.muster("cancel", job["job"]).returncode, 0)
        code, _, words = run.end(60)
        self.assertEqual(code, 1)
        self.assertIn("cancelled", words)


if __name__ == "__main__":
    unittest.main()
