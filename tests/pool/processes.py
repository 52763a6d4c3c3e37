"""The processes of a pool on loopback.

  Process  one program that runs: what it has said, waiting for what it will say, its end
  Run      a `muster run`, whose result can be waited for
  Pool     a port, a folder, and all that was started for them; close() ends and deletes it

Each is ended by its own id and lives in a session of its own, so that an interrupt at the terminal reaches only the
program that started it, which then closes its pool."""
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

from .programs import BIN
from .relay import Relay
from .waiting import WAIT_S

FOLLOWED_EVERY_S = 0.05
RUN_S = 600  # Until a command that should end by itself counts as a failure.


class NotSaid(AssertionError):
    """A process ended, or took too long, without saying what was waited for."""


def free_port():
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def files_up_to(size_bytes):
    """For `in_child`: none of its files may grow beyond, as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def follow(log, begin, process):
    """The lines that come into a file from byte `begin` on, until the process that writes it has ended."""
    with open(log, "rb") as file:
        file.seek(begin)
        rest = b""
        while True:
            ended = process.poll() is not None
            *whole, rest = (rest + file.read()).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
            if ended:
                return
            time.sleep(FOLLOWED_EVERY_S)


class Process:
    """One program that runs. `lines` is what it has said so far on stderr, `printed` on stdout; `process` is its Popen.

      command       the program and its arguments
      env           what is added to the environment
      log           a file at whose end it writes both, so that it may outlive this program; all of it is in `lines`
      heed          called with each line of stderr, on the thread that reads; `heed_printed` likewise, of stdout
      in_child      called between fork and exec"""

    def __init__(self, command, env=None, log=None, heed=None, heed_printed=None, in_child=None):
        self.lines, self.printed, self.changed, self.readers = [], [], threading.Condition(), []
        self.began = time.monotonic()
        if log:
            with open(log, "a") as out:
                begin = out.tell()
                self.process = self._start(command, env, in_child, stdout=out, stderr=out)
            sources = [(follow(log, begin, self.process), self.lines, heed)]
        else:
            self.process = self._start(command, env, in_child, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            sources = [(self.process.stderr, self.lines, heed), (self.process.stdout, self.printed, heed_printed)]
        self.unread = len(sources)
        for source in sources:
            self.readers.append(threading.Thread(target=self._read, args=source, daemon=True))
            self.readers[-1].start()

    @staticmethod
    def _start(command, env, in_child, **streams):
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})},
                                start_new_session=True, preexec_fn=in_child, **streams)

    def _read(self, source, lines, heed):
        for line in source:
            text = line.rstrip("\n")
            with self.changed:
                lines.append(text)
                self.changed.notify_all()
            if heed:
                heed(text)
        with self.changed:
            self.unread -= 1
            self.changed.notify_all()

    # What it says.

    def count(self, pattern):
        """How many of its lines match."""
        with self.changed:
            return sum(1 for line in self.lines if re.search(pattern, line))

    def wait_for(self, pattern, count=1, **more):
        """Until `count` of its lines match."""
        self.wait_until(lambda: self.count(pattern) >= count, f"'{pattern}' was not said", **more)

    def wait_until(self, holds, words, seconds=WAIT_S, check=None):
        """Until `holds()`, which is asked whenever something was said; NotSaid with these words when the process ends
        first, or after `seconds`. `check` is called at least once a second, and may raise."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not holds():
                left = deadline - time.monotonic()
                if left <= 0 or not self.unread:
                    raise NotSaid(f"{words}; instead:\n" + "\n".join(self.lines[-30:]))
                if check:
                    check()
                self.changed.wait(min(left, 1))

    # Its end.

    def alive(self):
        return self.process.poll() is None

    def send_signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def wait(self, seconds=30):
        """Its exit code, once it has ended and all that it said has been read."""
        code = self.process.wait(seconds)
        for reader in self.readers:
            reader.join()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        return code

    def stop(self, how=signal.SIGTERM):
        """Its exit code, after this signal if it still ran."""
        self.send_signal(how)
        return self.wait()

    def kill(self):
        return self.stop(signal.SIGKILL)


class Run(Process):
    """A `muster run`: `printed` is its table, or lines of JSON; `lines` are its news and complaints."""

    def end(self, seconds=RUN_S):
        """Exit code, and as texts what it printed and what it complained about; it ends by itself."""
        try:
            code = self.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the job has not ended") from None
        self.seconds = time.monotonic() - self.began
        return code, "\n".join(self.printed), "\n".join(self.lines)


class Pool:
    """A port of loopback, a folder, and the processes that were started for them: none at first.

      bin_dir   where muster and muster-engine lie
      purpose   a word in the folder's name
      insecure  every process is told to do without TLS"""

    def __init__(self, bin_dir=BIN, purpose="test", insecure=False):
        self.program = os.path.join(os.path.abspath(bin_dir), "muster")
        self.folder, self.port = tempfile.mkdtemp(prefix=f"muster-{purpose}-"), free_port()
        self.daemons, self.runs, self.relays, self.started_count = [], [], [], 0
        self.insecure = ["--insecure"] if insecure else []
        # Where the server leaves the token that its machine's processes find; nothing of the user's is touched.
        self.environment = {"XDG_STATE_HOME": self.path("state"), "XDG_CONFIG_HOME": self.path("config"), "MUSTER_TOKEN": ""}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, role, *arguments, state=None, port=None, program=None, env=None, shown=False, **more):
        """A daemon, which is a Process with its folder in `state`. `port`: of a relay before the server; `program`: a copy
        of muster beside another engine; `shown`: it has the status port that daemons have by themselves, of which there is
        one on a machine; the rest as for Process."""
        self.started_count += 1
        state = state or self.path(f"{role}-{self.started_count}")
        hidden = [] if shown or "--status_port" in arguments else ["--status_port", "0"]
        command = [program or self.program, role, "--port", str(port or self.port), "--state_dir", state, *self.insecure,
                   *hidden, *arguments]
        daemon = Process(command, env={**self.environment, **(env or {})}, **more)
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

    def relay(self, heed=None):
        """A Relay before the server; its `port` is for whoever is to speak through it."""
        self.relays.append(Relay(self.port, heed))
        tokens = self.path("state", "muster", "local")
        os.makedirs(tokens, exist_ok=True)
        os.symlink(str(self.port), os.path.join(tokens, str(self.relays[-1].port)))
        return self.relays[-1]

    # What is asked of it.

    def address(self, port=None):
        """The environment in which a command of muster speaks to this pool."""
        return {**self.environment, "MUSTER_SERVER": f"127.0.0.1:{port or self.port}"}

    def muster(self, *arguments, env=None, seconds=RUN_S):
        """A command of muster, once it has ended: a CompletedProcess."""
        insecure = self.insecure if arguments[0] != "requests" else []
        return subprocess.run([self.program, *arguments, *insecure], capture_output=True, text=True, timeout=seconds,
                              env={**os.environ, **self.address(), **(env or {})})

    def begin_run(self, *arguments, port=None, env=None, kind=Run, **more):
        """A `muster run` that goes on in the background. `port`: of a relay before the server."""
        run = kind([self.program, "run", *self.insecure, *arguments], env={**self.address(port), **(env or {})}, **more)
        self.runs.append(run)
        return run

    # Its end.

    def stop(self, how=signal.SIGTERM, seconds=10):
        """Tells every process to end, the youngest first; who has not ended within `seconds` is killed."""
        processes = [*self.runs, *reversed(self.daemons)]
        for process in processes:
            process.send_signal(how)
            process.send_signal(signal.SIGCONT)  # Who stands still hears no other.
        for process in processes:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()

    def forget_daemons(self):
        """Ends the daemons as their users would, so that others can be started in their place; their exit codes."""
        codes = [daemon.stop() for daemon in reversed(self.daemons)]
        self.daemons.clear()
        return codes

    def close(self):
        """Ends whatever still runs, and deletes the folder."""
        self.stop(signal.SIGKILL)
        for relay in self.relays:
            relay.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
