"""Rows 23 and 24: the engine on a machine that others use, too."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.evaluation import score_command  # noqa: E402
from pool.programs import ENGINE, NEOX  # noqa: E402

PR_SET_NAME = 15


def environment(given):
    """What the engine runs with that is asked for an endless input; `given`: what the user has set."""
    with tempfile.TemporaryDirectory() as directory:
        pipe = os.path.join(directory, "requests")
        os.mkfifo(pipe)
        process = subprocess.Popen(score_command(NEOX, pipe, "/dev/null"), env={**os.environ, **given})
        with open(pipe, "w"):  # It is there, as the program that it becomes.
            with open(f"/proc/{process.pid}/environ", "rb") as file:
                pairs = file.read().decode().split("\0")
        assert process.wait() == 0
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


def threads(cores=None):
    """With how many the engine would compute now, were it bound to these cores."""
    bound = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    done = subprocess.run([ENGINE, "info", "--model", NEOX], capture_output=True, check=True, preexec_fn=bound)
    return json.loads(done.stdout)["threads"]


AT_WORK = f"""
import ctypes, sys
ctypes.CDLL(None).prctl({PR_SET_NAME}, b"muster-scoring")
print(flush=True)
sys.stdin.read()
"""


def engine_at_work():
    """A process that says what an engine says while it computes, until its input ends."""
    process = subprocess.Popen([sys.executable, "-c", AT_WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


class Machine(unittest.TestCase):
    def test_23_a_thread_that_waits_gives_its_core_away(self):
        found = environment({})
        self.assertEqual((found["OMP_WAIT_POLICY"], found["GOMP_SPINCOUNT"]), ("passive", "0"))
        self.assertEqual(environment({"OMP_WAIT_POLICY": "active"})["OMP_WAIT_POLICY"], "active")

    def test_24_cores_are_those_it_may_use(self):
        self.assertEqual(threads({min(os.sched_getaffinity(0))}), 1)

    def test_24_cores_are_shared_with_the_engines_beside_it(self):
        others = [engine_at_work() for _ in range(2 * len(os.sched_getaffinity(0)))]
        try:
            self.assertEqual(threads(), 1)
        finally:
            for process in others:
                process.communicate()


if __name__ == "__main__":
    unittest.main()
