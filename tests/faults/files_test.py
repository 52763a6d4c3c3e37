"""Rows 10, 13, 14 and 18 to 22: paths, signals, outputs, addresses and words of a command line."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import score_command, write_requests  # noqa: E402
from pool.processes import Process  # noqa: E402
from pool.programs import ENGINE, MUSTER, NEOX  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

ODD_NAMES = ("my pool", 'a"b', "c='d' timeout=0", "file:e?mode=memory", "\u00fc;#%20\\", "$HOME", " ")
NO_ADDRESSES = ("http://127.0.0.1:30000", "127.0.0.1:http", "there:0", "[::1", "256.0.0.1", "a b", "a,b", "1.2.3")


def signals(pid, field):
    """The numbers in one of the masks of /proc."""
    with open(f"/proc/{pid}/status") as status:
        mask = next(int(line.split()[1], 16) for line in status if line.startswith(field + ":"))
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}


class Files(PoolTest):
    def test_10_any_character_in_a_path(self):
        for name in ODD_NAMES:
            with self.subTest(name):
                state = self.path("states", name)
                server = self.start("server", state=state)
                server.wait_for("serving on")
                self.assertIn("server.db", os.listdir(state))
                self.assertEqual(server.stop(), 0)
        self.assertEqual(sorted(os.listdir(self.path("states"))), sorted(ODD_NAMES))

    def test_13_signals_ignored_at_the_start_stay_ignored(self):
        for role in ("server", "worker"):
            daemon = self.start(role, in_child=lambda: [signal.signal(number, signal.SIG_IGN)
                                                        for number in (signal.SIGHUP, signal.SIGINT)])
            daemon.wait_for("")  # It has begun, and so has set its signals.
            self.assertLessEqual({signal.SIGHUP, signal.SIGINT}, signals(daemon.process.pid, "SigIgn"))
            eventually(lambda: not {signal.SIGHUP, signal.SIGINT} & signals(daemon.process.pid, "SigBlk"),
                       f"the {role} blocks them")  # A thread blocks all for as long as it makes another.
            self.assertEqual(daemon.stop(), 0)

    def test_14_what_cannot_be_printed_is_an_error(self):
        for command in ([MUSTER, "requests", "tinyMMLU"], [MUSTER, "--help"], [MUSTER, "run", "--help"],
                        [ENGINE, "info", "--model", NEOX]):
            with open("/dev/full", "w") as full:
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 74, command)
            self.assertIn("could not be written", done.stderr)

    def test_14_a_reader_that_is_gone_is_an_error(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run([MUSTER, "requests", "tinyMMLU"], stdout=writing, stderr=subprocess.PIPE, text=True)
        os.close(writing)
        self.assertEqual((done.returncode, "could not be written" in done.stderr), (74, True))

    def score(self, output, given=None, **more):
        command = score_command(NEOX, given or self.requests, output, "--threads", "1")
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, **more)

    def test_18_outputs_and_inputs_that_are_no_plain_files(self):
        self.requests, plain, link = self.path("in"), self.path("plain"), self.path("link")
        write_requests(self.requests, [("a", " b")])
        self.assertEqual(self.score(plain).returncode, 0)
        with open(plain) as file:
            expected = file.read()
        os.chmod(plain, 0o640)
        os.symlink("plain", link)
        self.assertEqual(self.score(link).returncode, 0)
        self.assertEqual((os.readlink(link), os.stat(plain).st_mode & 0o777), ("plain", 0o640))
        piped = self.score("/dev/stdout", stdout=subprocess.PIPE)
        self.assertEqual((piped.returncode, piped.stdout), (0, expected))
        with open(self.requests) as file:
            self.assertEqual(self.score(self.path("other"), "/dev/stdin", stdin=file).returncode, 0)
        with open(self.path("other")) as file:
            self.assertEqual(file.read(), expected)
        self.assertEqual(self.score("/dev/full").returncode, 74)
        self.assertEqual(sorted(os.listdir(self.folder)), ["in", "link", "other", "plain"])

    def test_19_a_home_folder_behind_an_equals_sign(self):
        with tempfile.TemporaryDirectory() as home:
            server = Process([MUSTER, "server", "--port", str(self.port), "--state_dir=~/my state"], env={**self.environment, "HOME": home})
            self.daemons.append(server)
            server.wait_for("serving on")
            self.assertIn("server.db", os.listdir(os.path.join(home, "my state")))
            self.assertEqual(server.stop(), 0)

    def test_19_run_ends_when_it_is_told_to(self):
        self.start_pool([], coordinator=False)
        run = self.begin_run("--llm_name", NEOX)
        run.wait_for("job .* accepted")
        self.assertLessEqual({signal.SIGTERM, signal.SIGINT}, signals(run.process.pid, "SigBlk"))  # It waits for them.
        self.assertEqual(run.stop(), 130)
        self.assertIn("detached", run.lines[-1])

    def test_20_what_is_no_address_is_refused_in_words(self):
        for address in NO_ADDRESSES:
            for command in (("server", "--ip", address), ("worker", "--ip", address), ("status", "--ip", address)):
                self.assert_fails(self.muster(*command), 2, f"'{address}' is no address")
            self.assert_fails(self.muster("status", env={"MUSTER_SERVER": address}), 2, "MUSTER_SERVER", address)
        self.assert_fails(self.muster("server", "--insecure", "--ip", "127.evil.example"), 77, "127.evil.example")

    def test_20_an_address_of_the_sixth_version(self):
        for address in ("::1", "[::1]", "[::1]:7"):
            self.assert_fails(self.muster("status", "--port", "7", "--ip", address), 69, "[::1]:7")

    def test_21_words_that_are_not_utf8(self):
        for words in (("run", "--llm_name", b"/models/\xff"), ("run", "--llm_name", NEOX, "--username", b"\xff"),
                      ("worker", "--owner", b"lab-\xc3"), ("server", "--state_dir", b"\xff"), ("cancel", b"\xff"),
                      ("why", b"\xed\xa0\x80"), (b"\xff",)):
            self.assert_fails(self.muster(*words), 2, "is not valid UTF-8")
        folder = os.path.join(os.fsencode(self.folder), b"model-\xff")
        shutil.copytree(os.fsencode(NEOX), folder)
        os.symlink(folder, self.path("link"))
        self.assert_fails(self.muster("run", "--tasks", "tinyMMLU", "--llm_name", self.path("link")), 78, "paths in UTF-8")

    def test_22_words_that_a_terminal_would_act_on(self):
        for words in (("run", "--llm_name", "a\nb"), ("run", "--llm_name", NEOX, "--username", "\x1b[31m"),
                      ("worker", "--owner", "\u202elab"), ("why", "\x1b]0;title\x07"), ("cancel", "a\rb")):
            done = self.muster(*words)
            self.assertIn(done.returncode, (2, 66), done.stderr)
            self.assertFalse(set("\x1b\x07\r\u202e") & set(done.stderr), done.stderr)


if __name__ == "__main__":
    unittest.main()
