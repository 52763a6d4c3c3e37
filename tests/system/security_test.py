"""Who gets in, and who does not: certificates, tokens, and what strangers do to the port."""
import os
import shutil
import socket
import ssl
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import free_port  # noqa: E402
from pool.test_cases import PoolTest  # noqa: E402

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


class AnotherPool(PoolTest):
    def test_whose_server_has_begun_anew_takes_its_machines_back(self):
        self.start_pool([["--role", "compute"]], coordinator=False)
        worker = self.workers[0]
        worker.wait_for("connected to the server")
        self.server.stop()
        shutil.rmtree(self.server.state)
        self.start("server", state=self.server.state).wait_for("worker .* joined")
        worker.wait_for("connected to the server", count=2)

    def test_a_lost_key_of_the_authority_is_not_made_anew(self):
        self.start_pool([], coordinator=False)
        self.server.stop()
        os.remove(os.path.join(self.server.state, "authority.key"))
        server = self.start("server", state=self.server.state)
        self.assertEqual(server.wait(), 74)
        self.assertIn("authority.key", "\n".join(server.lines))


if __name__ == "__main__":
    unittest.main()
