"""A pool whose state is in PostgreSQL: that comes and goes, hangs, and tells nobody what became of a COMMIT."""
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from pool.processes import RUN_S, free_port  # noqa: E402
from pool.programs import NEOX  # noqa: E402
from pool.test_cases import PostgresTest  # noqa: E402
from pool.waiting import eventually  # noqa: E402

JOB = ["--llm_name", NEOX, "--tasks", "tinyHellaswag", "--limit", "2"]


class Elsewhere(PostgresTest):
    def test_a_server_started_elsewhere_is_the_same_pool(self):
        server = self.serve(state=self.path("here"))
        for role in (["worker", "--threads", "1"], ["worker", "--threads", "1"], ["coordinator"]):
            self.start(*role).wait_for("connected to")
        run = self.begin_run(*JOB, "--json")
        eventually(self.jobs, "no job")
        server.kill()
        self.serve(state=self.path("there"))
        self.assertEqual(run.end(RUN_S)[0], 0, run.lines)
        self.assertFalse(os.path.exists(self.path("there", "authority.key")))
        self.assertEqual(self.postgres.sql("SELECT state, settled > 0, model FROM jobs"), [f"done|t|{os.path.basename(NEOX)}"])
        self.assertIn("acc", self.postgres.sql("SELECT metric FROM results"))

    def test_a_twin_has_it_and_the_first_ends(self):
        first = self.serve()
        self.serve(port=free_port())
        self.assertEqual(first.wait(60), 69)
        self.assertIn("another server has this pool now", "\n".join(first.lines))

    def test_another_key_or_none_is_refused(self):
        self.serve().stop()
        with open(self.key, "w") as file:
            file.write("fedcba9876543210" * 4)
        other = self.serve(serves=False)
        self.assertEqual(other.wait(60), 77)
        self.assertIn("--pool_key is another pool's", "\n".join(other.lines))
        none = self.start("server", "--database", self.postgres.url())
        self.assertEqual(none.wait(60), 77)
        self.assertIn("give --pool_key FILE", "\n".join(none.lines))


class ComesAndGoes(PostgresTest):
    def test_away_at_the_start_it_is_waited_for(self):
        self.postgres.kill()
        server = self.serve(serves=False)
        server.wait_for("waiting for the database: postgresql://muster@127.0.0.1")
        self.postgres.start()
        server.wait_for("serving on")

    def test_whoever_waits_for_it_can_be_told_to_stop(self):
        self.postgres.kill()
        server = self.serve(serves=False)
        server.wait_for("waiting for the database")
        self.assertEqual(server.stop(), 0)
        self.assertEqual(server.count("ended without it"), 0)

    def test_restarted_under_load_it_loses_nothing(self):
        server = self.serve()
        self.start("coordinator").wait_for("connected to")
        accepted, stop = [], threading.Event()

        def submit():
            limit = 0
            while not stop.is_set():
                limit += 1
                job, _ = self.submit(limit)
                if job:
                    accepted.append(job)
        load = threading.Thread(target=submit)
        load.start()
        eventually(lambda: len(accepted) >= 3, "nothing is accepted")
        self.postgres.kill()
        server.wait_for("the database is away")
        self.postgres.start()
        server.wait_for("the database is back")
        before = len(accepted)
        eventually(lambda: len(accepted) >= before + 3, "nothing is accepted any more")
        stop.set()
        load.join()
        there = set(self.postgres.sql("SELECT job FROM jobs"))
        self.assertEqual([job for job in accepted if job not in there], [])

    def test_frozen_it_freezes_nobody(self):
        server = self.serve()
        self.start("coordinator").wait_for("connected to")
        self.postgres.freeze()
        self.assert_refused(1)
        server.wait_for("the database is away")
        self.assertEqual(self.muster("status").returncode, 0)
        self.assert_refused(2)
        self.postgres.thaw()
        server.wait_for("the database is back")
        self.assert_accepted(1)

    def test_read_only_it_refuses_with_its_words(self):
        server = self.serve()
        self.start("coordinator").wait_for("connected to")
        self.postgres.sql("ALTER DATABASE postgres SET default_transaction_read_only = on")
        self.postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                          "AND application_name = 'muster'")
        server.wait_for("the database is back")
        self.assert_refused(1)
        server.wait_for("could not be committed: .*read-only transaction")
        again = self.serve(serves=False, state=self.path("again"))
        self.assertEqual(again.wait(60), 74)
        self.assertIn("read-only transaction", "\n".join(again.lines))


class Commits(PostgresTest):
    """The words for a lost connection are the same before and after."""

    def setUp(self):
        super().setUp()
        self.server = self.serve(url=self.postgres.relay_url)
        self.start("coordinator").wait_for("connected to")

    def test_one_that_did_not_arrive_is_said_again(self):
        self.check("before")

    def test_one_that_was_not_answered_is_there(self):
        self.check("after")

    def check(self, when):
        self.postgres.relay.cut_next_commit(when)
        job = self.assert_accepted(1)
        self.assertTrue(self.postgres.relay.was_cut.is_set())
        self.assertEqual(self.postgres.sql("SELECT job FROM jobs"), [job])
        self.assertEqual(self.server.count("could not be committed"), 0)


del PostgresTest  # It is no test itself.

if __name__ == "__main__":
    unittest.main()
