"""Certificates end, and clocks are wrong: the programs see the time that a file says (libfaketime)."""
import glob
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.test_cases import PoolTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

FAKER = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
LASTS_DAYS, DUE_DAYS = 90, 60
BY_ITSELF_S = 30


class Clocks(PoolTest):
    def setUp(self):
        super().setUp()
        # Only what says the date is moved: how long something takes is as long as ever.
        self.environment |= {"LD_PRELOAD": FAKER, "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                             **self.clock("clock")}
        self.set_clock("+0d")

    def clock(self, name):
        return {"FAKETIME_TIMESTAMP_FILE": self.path(name)}

    def set_clock(self, offset, name="clock"):
        with open(self.path("next"), "w") as file:
            file.write(offset + "\n")
        os.rename(self.path("next"), self.path(name))

    def certificate(self, worker):
        with open(glob.glob(os.path.join(worker.state, "**", "membership.pem"), recursive=True)[0]) as file:
            return file.read()

    def server_certificate(self):
        """What the server shows to who connects now."""
        shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", "join.muster"],
                               input="", capture_output=True, text=True)
        return shown.stdout.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END CERTIFICATE-----")[0]

    def start_store(self, **more):
        store = self.start("worker", "--role", "storage", **more)
        store.wait_for("connected to")
        return store

    def test_what_is_due_is_renewed_and_no_line_is_dropped(self):
        self.start_pool([["--role", "storage"]], coordinator=False)
        own, store = self.server_certificate(), self.workers[0]
        self.assertTrue(own)
        held = self.certificate(store)
        self.set_clock(f"+{DUE_DAYS + 1}d")
        eventually(lambda: self.server_certificate() not in (own, ""), "the server shows its old certificate")
        self.start_store()  # By the server's new one.
        self.assertEqual(self.server.count("lost|is gone|is silent"), 0)
        self.assertEqual(store.count("lost"), 0)
        self.assertEqual(self.certificate(store), held, "a line that holds needs no other")
        store.stop()
        store = self.start_store(state=store.state)
        self.assertNotEqual(self.certificate(store), held)

    def test_a_machine_that_was_off_for_a_year_is_known_again(self):
        self.start_pool([["--role", "storage"]], coordinator=False)
        store = self.workers[0]
        held, names = self.certificate(store), self.muster("status").stdout
        store.stop()
        self.set_clock(f"+{LASTS_DAYS * 4}d")
        store = self.start_store(state=store.state)
        self.assertNotEqual(self.certificate(store), held)
        self.assertEqual(len(self.muster("machine", "ls", "--json").stdout.splitlines()), 1, names)

    def test_who_is_days_behind_is_told_and_comes_in_when_his_clock_is_set(self):
        self.start_pool([], coordinator=False)
        self.set_clock("-10d", "late")
        late = self.start("worker", "--role", "storage", env=self.clock("late"))
        late.wait_for("is the clock of this machine right")
        self.set_clock("+0d", "late")
        late.wait_for("connected to", seconds=BY_ITSELF_S)

    def test_an_hour_more_or_less_is_nothing(self):
        self.start_pool([], coordinator=False)
        for number, offset in enumerate(("-1h", "+1h")):
            self.set_clock(offset, f"other-{number}")
            self.start_store(env=self.clock(f"other-{number}"))


if __name__ == "__main__":
    unittest.main()
