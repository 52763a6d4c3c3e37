"""A PostgreSQL of a test's own (postgres.sh), and what happens to connections to it at the worst of moments."""
import os
import subprocess
import tempfile
import threading

from .processes import free_port
from .relay import Relay

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "postgres.sh")


class Postgres:
    """Runs from its construction to close(). `url` leads to it on loopback; relay_url through what cuts connections."""

    def __init__(self):
        self.folder, self.port = tempfile.mkdtemp(prefix="muster-postgres-"), free_port()
        self.relay = CommitRelay(self.port)
        self.start()

    def _do(self, action, *more):
        subprocess.run([SCRIPT, action, self.folder, *more], check=True, timeout=120)

    def start(self):
        self._do("start", str(self.port))

    def kill(self):
        self._do("kill")

    def freeze(self):
        self._do("freeze")

    def thaw(self):
        self._do("thaw")

    def close(self):
        self.relay.relay.stop()
        self._do("stop")

    def url(self, database="postgres", port=None):
        return f"postgresql://muster@127.0.0.1:{port or self.port}/{database}"

    @property
    def relay_url(self):
        return self.url(port=self.relay.relay.port)

    def sql(self, statement, database="postgres"):
        """The lines of its answer; columns are divided by a bar."""
        done = subprocess.run(["psql", self.url(database), "-v", "ON_ERROR_STOP=1", "-At", "-c", statement], check=True,
                              capture_output=True, text=True, timeout=60)
        return done.stdout.splitlines()


class CommitRelay:
    """Carries connections to a PostgreSQL, and cuts the one that says the next COMMIT: "before" it arrives, or "after" it
    was answered."""

    def __init__(self, port):
        self.relay = Relay(port, self._heed)
        self.cut, self.was_cut, self.answered = None, threading.Event(), set()

    def cut_next_commit(self, when):
        self.was_cut.clear()
        self.cut = when

    def _heed(self, connection, upwards, piece):
        if upwards and b"COMMIT" in piece and self.cut:
            when, self.cut = self.cut, None
            if when == "before":
                self._cut(connection)
            self.answered.add(connection)
        elif not upwards and connection in self.answered:
            self.answered.discard(connection)
            self._cut(connection)

    def _cut(self, connection):
        connection.close()
        self.was_cut.set()
        raise ConnectionResetError("cut")  # The piece goes nowhere.
