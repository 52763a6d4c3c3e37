"""A real pool on loopback for a test: processes, their logs, and conditions to wait for. Nothing here
sleeps to wait for something to happen; everything it starts, it stops."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

BIN = os.environ.get("MUSTER_BIN", "build/release/bin")
MODELS = os.environ.get("MUSTER_MODELS", "build/models")
MUSTER = os.path.join(BIN, "muster")
ENGINE = os.path.join(BIN, "muster-engine")
SMOL = os.path.join(MODELS, "SmolLM2-135M-Instruct")
NEOX = os.path.join(MODELS, "random-neox")
WAIT_S = 120  # Until a condition that should hold soon counts as a failure.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Daemon:
    """One process and what it has said."""

    def __init__(self, arguments, env=None, file_bytes=None, program=MUSTER):
        limit = file_bytes is not None and (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes)))
        self.lines, self.changed = [], threading.Condition()
        self.process = subprocess.Popen([program, *arguments], stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})}, start_new_session=True,
                                        preexec_fn=limit or None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def wait_for(self, pattern, count=1):
        deadline = time.monotonic() + WAIT_S
        with self.changed:
            while sum(1 for line in self.lines if re.search(pattern, line)) < count:
                left = deadline - time.monotonic()
                if left <= 0 or self.process.poll() is not None:
                    raise AssertionError(f"'{pattern}' was not said; instead:\n" + "\n".join(self.lines[-30:]))
                self.changed.wait(min(left, 1))

    def stop(self, how=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(30)
        self.reader.join()
        self.process.stderr.close()
        return code


class PoolTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="muster-test-")
        self.port, self.daemons, self.count = free_port(), [], 0

    def tearDown(self):
        for daemon in reversed(self.daemons):
            daemon.stop(signal.SIGKILL)
        shutil.rmtree(self.folder)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, role, *arguments, state=None, env=None, file_bytes=None, program=MUSTER, port=None):
        """A daemon; with `file_bytes` none of its files may grow beyond, as on a full disk. `program`: a copy of
        muster beside a stand-in engine; `port`: a relay before the server."""
        self.count += 1
        state = state or self.path(f"{role}-{self.count}")
        daemon = Daemon([role, "--port", str(port or self.port), "--state_dir", state, *arguments], env, file_bytes,
                        program)
        daemon.state = state
        self.daemons.append(daemon)
        return daemon

    def start_pool(self, workers, coordinator=True, env=None):
        """A server, `workers` (lists of flags) one after the other, and a coordinator."""
        self.server = self.start("server")
        self.server.wait_for("serving on")
        self.workers = []
        for number, flags in enumerate(workers, 1):
            self.workers.append(self.start("worker", "--threads", "1", *flags, env=env))
            self.server.wait_for("worker .* joined", number)
        if coordinator:
            self.coordinator = self.start("coordinator", env=env)
            self.server.wait_for("coordinator .* joined")

    def muster(self, *arguments, env=None):
        return subprocess.run([MUSTER, *arguments], capture_output=True, text=True, timeout=600,
                              env={**os.environ, "MUSTER_SERVER": f"127.0.0.1:{self.port}", **(env or {})})

    def run_job(self, *arguments, model=SMOL, env=None):
        """`muster run --json`: the lines of stdout, parsed; fails when it fails."""
        done = self.muster("run", "--llm_name", model, "--json", *arguments, env=env)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def assert_fails(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


def scores_alone(model, task, limit):
    """acc and acc_norm_raw of a task from muster-engine in one process, without a pool."""
    with tempfile.TemporaryDirectory() as work:
        requests = subprocess.run([MUSTER, "requests", task, "--limit", str(limit)], check=True,
                                  capture_output=True, text=True).stdout
        with open(f"{work}/in", "w") as out:
            out.write(requests)
        subprocess.run([ENGINE, "score", "--model", model, "--requests", f"{work}/in",
                        "--output", f"{work}/out"], check=True)
        with open(f"{work}/out") as lines:
            scores = [json.loads(line)["loglikelihood"] for line in lines]
    with open(os.path.join(os.path.dirname(__file__), f"../../data/{task}.jsonl")) as lines:
        items = [json.loads(line) for line in lines][:limit]
    lengths = [len(json.loads(line)["continuation"]) - 1 for line in requests.splitlines()]
    acc = norm = at = 0
    for item in items:
        n = len(item["choices"])
        ll = scores[at:at + n]
        per_length = [score / length for score, length in zip(ll, lengths[at:at + n])]
        acc += max(range(n), key=ll.__getitem__) == item["gold"]
        norm += max(range(n), key=per_length.__getitem__) == item["gold"]
        at += n
    return acc / len(items), norm / len(items)
