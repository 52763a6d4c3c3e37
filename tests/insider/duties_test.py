"""H2, H3 and M2 of the review: a store that does not do its duty while its heart beats, and a server that knows less
than its nodes."""
import collections
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

import wire
from insider import HERE, WAIT_S, InsiderTest
from rogue import Store, record_digest

e = wire.envelope
NAMED = "as a storage node it"  # Has not done this or that.
NOW_AND_THEN_S = 7  # Just often enough to seem alive.


class SilentStores(InsiderTest):
    def start_rest(self, stores):
        self.stores = [self.start_store() for _ in range(stores)]
        self.computers = [self.start_computer() for _ in range(self.COMPUTE)]
        self.coordinator = self.join("coordinator")

    def assert_replaced(self, node, table):
        """The job is done without the silent one, which is no store any more and is named."""
        self.assert_honest(self.begin_job(), table, node, words=NAMED)
        self.server.wait_for("copies 2 of 2")
        self.assertFalse(node.is_member())

    def test_a_joiner_that_copies_nothing_is_replaced(self):
        self.start_server()
        node = self.add(Store(self.port, neglects=["copied"])).wait_joined(WAIT_S)
        self.start_rest(stores=2)
        self.server.wait_for("copies 2 of 2")
        self.assert_replaced(node, self.undisturbed())

    def faithless_member(self):
        """A member, and the honest table of the pool before it does anything."""
        self.start_server()
        node = self.add(Store(self.port)).wait_joined(WAIT_S)
        self.start_rest(stores=2)
        self.server.wait_for("copies 2 of 2")
        node.wait_member(WAIT_S)
        return node, self.undisturbed()

    def silenced_member(self, *neglects):
        node, table = self.faithless_member()
        node.neglects.update(neglects)
        self.assert_replaced(node, table)

    def test_a_member_that_acknowledges_nothing_leaves_the_view(self):
        self.silenced_member("put")

    def test_a_member_that_feeds_nothing_leaves_the_view(self):
        self.silenced_member("subscribe")

    def test_a_member_that_says_nothing_leaves_the_view(self):
        self.silenced_member("put", "subscribe", "copied")

    def test_a_member_that_refuses_every_record_leaves_the_view(self):
        node, table = self.faithless_member()

        def refuse(envelope):
            who = getattr(envelope, "from")
            node.say(who.role, who.machine, put_refused=e.PutRefused(view=envelope.put.view))
        node.handle["put"] = refuse
        self.assert_replaced(node, table)

    def test_a_member_that_acknowledges_a_record_now_and_then_leaves_the_view(self):
        node, table = self.faithless_member()
        last = collections.defaultdict(float)

        def acknowledge_one(envelope):
            who = getattr(envelope, "from")
            if time.monotonic() - last[who.machine] < NOW_AND_THEN_S:
                return
            last[who.machine] = time.monotonic()
            digests = [record_digest(envelope.put.records[-1])]
            node.say(who.role, who.machine, put_done=e.PutDone(view=envelope.put.view, digests=digests))
        node.handle["put"] = acknowledge_one
        self.assert_replaced(node, table)

    def test_a_member_that_feeds_a_record_now_and_then_leaves_the_view(self):
        node, table = self.faithless_member()

        def feed_one(envelope):
            request, who = envelope.subscribe, getattr(envelope, "from")
            kept = node.records[request.job, request.run]
            feed = e.Feed(job=request.job, run=request.run, epoch=request.epoch, view=request.view, records=kept[:1],
                          next=request.cursor + 1, copying=request.copying)
            setattr(feed, "from", request.cursor)
            timer = threading.Timer(NOW_AND_THEN_S, node.say, (who.role, who.machine), dict(feed=feed))
            timer.daemon = True
            timer.start()
        node.handle["subscribe"] = feed_one
        self.assert_replaced(node, table)


class HungDisk(InsiderTest):
    def setUp(self):
        super().setUp()
        shim = self.path("hanging_disk.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, f"{HERE}/hanging_disk.c", "-ldl"], check=True)
        self.hung = self.path("hung")
        self.env = {"LD_PRELOAD": shim, "INSIDER_HUNG": self.hung}
        self.start_server()
        self.victim = self.start_store(env=self.env)
        self.stores = [self.start_store() for _ in range(2)]
        self.server.wait_for("copies 2 of 2")
        self.computers = [self.start_computer() for _ in range(self.COMPUTE)]
        self.coordinator = self.join("coordinator")
        self.table = self.undisturbed()
        open(self.hung, "w").close()
        self.addCleanup(os.remove, self.hung)

    def test_a_store_whose_disk_hangs_leaves_the_view_and_says_why(self):
        job = self.begin_job()
        machine = self.victim.machine
        found = self.wait_named(machine, "disk|sync|acknowledge|cannot store"), self.outcome(job), self.ended()
        self.assertEqual(found, (True, self.table, []))

    def test_it_ends_when_it_is_told_to(self):
        job = self.begin_job()
        self.victim.wait_for("cannot write|leaves the view|no longer in the view")
        self.victim.send_signal(signal.SIGTERM)
        self.assertEqual(self.victim.wait(WAIT_S), 0)
        self.assertEqual(self.outcome(job), self.table)


class OtherDatabases(InsiderTest):
    """The server comes back with another database than its nodes remember."""

    def setUp(self):
        super().setUp()
        self.start_honest_pool()
        self.table = self.undisturbed()

    def restart_server(self, with_database):
        self.server.stop()
        folder = self.server.state
        with_database(folder)
        self.server = self.start("server", state=folder)
        self.server.wait_for("serving on")

    def test_a_server_whose_folder_was_deleted(self):
        self.restart_server(shutil.rmtree)
        self.server.wait_for("copies 2 of 2")
        self.server.wait_for("coordinator .* joined")
        self.assertEqual((self.outcome(self.begin_job()), self.ended_but_servers()), (self.table, []))

    def test_a_database_from_before_a_take_over(self):
        job = self.begin_held_job()
        kept = self.path("kept")
        self.restart_server(lambda folder: shutil.copytree(folder, kept))
        for _ in range(2):  # Each time under a higher epoch, sealed at the stores.
            self.restart_coordinator()
            self.coordinator.wait_for("taking over")
        self.coordinator.stop()
        self.restart_server(lambda folder: (shutil.rmtree(folder), shutil.copytree(kept, folder)))
        self.restart_coordinator()
        self.scores.open()
        self.assertEqual((self.outcome(job), self.ended_but_servers()), (self.table, []))

    def restart_coordinator(self):
        self.coordinator.stop()
        self.coordinator = self.join("coordinator", state=self.coordinator.state)

    def ended_but_servers(self):
        return [daemon.lines[-3:] for daemon in [self.server, self.coordinator, *self.stores, *self.computers]
                if not daemon.alive()]

    def test_nothing_is_accepted_into_a_folder_that_was_deleted(self):
        shutil.rmtree(self.server.state)
        self.assertRegex(str(self.outcome(self.begin_job())), "exit code (69|74|75): ")


if __name__ == "__main__":
    unittest.main()
