"""Who is let in: coordinators that nobody asked for, copies of a key, and words that are no words."""
import os
import shutil
import unittest

from insider import WAIT_S, InsiderTest
from rogue import COMPUTE_FLAG, COORDINATOR_FLAG, Identity, Rogue


class Coordinators(InsiderTest):
    def assert_refused(self, node):
        node.wait_closed(WAIT_S)
        self.assertIn("--coordinator", node.refusal)

    def test_one_that_nobody_asked_for_is_refused(self):
        self.start_honest_pool()
        table = self.undisturbed()
        self.assert_refused(self.add(Rogue(self.port, flag=COORDINATOR_FLAG)))
        self.assert_honest(self.begin_job(), table)

    def test_it_is_refused_while_the_first_is_away_and_after_a_restart(self):
        self.start_honest_pool()
        self.coordinator.stop()
        self.assert_refused(self.add(Rogue(self.port, flag=COORDINATOR_FLAG)))
        self.server.stop()
        self.server = self.start("server", state=self.server.state)
        self.server.wait_for("serving on")
        self.assert_refused(self.add(Rogue(self.port, flag=COORDINATOR_FLAG)))

    def test_a_worker_does_not_become_one_by_a_second_hello(self):
        self.start_honest_pool()
        table = self.undisturbed()
        job = self.begin_held_job()
        node = self.rogue()
        self.add(Rogue(self.port, flag=COORDINATOR_FLAG, identity=node.identity)).wait_closed(WAIT_S)
        self.assert_honest(job, table)

    def test_those_that_the_operator_names_are_admitted(self):
        self.start_server()
        first = self.join("coordinator")
        second = Rogue(self.port, flag=COORDINATOR_FLAG)
        self.assert_refused(self.add(second))
        self.server.stop()
        named = [first.machine, second.machine]
        self.server = self.start("server", "--coordinator", named[0], "--coordinator", named[1],
                                 state=self.server.state)
        self.server.wait_for("serving on")
        self.rogue(Rogue, flag=COORDINATOR_FLAG, identity=second.identity)
        self.assert_refused(self.add(Rogue(self.port, flag=COORDINATOR_FLAG)))


class Releases(InsiderTest):
    def of_release(self, number, version):
        def say(hello):
            hello.release, hello.version = number, version
        return Rogue(self.port, flag=COMPUTE_FLAG, change=say)

    def test_one_newer_works_and_two_newer_is_told_what_is_to_be_upgraded(self):
        self.start_server()
        self.add(self.of_release(2, "0.2.0")).wait_joined(WAIT_S)
        far = self.add(self.of_release(3, "0.3.0"))
        far.wait_closed(WAIT_S)
        for word in ("it has muster 0.3.0, the server 0.1.0", "upgrade the server"):
            self.assertIn(word, far.refusal)
        self.server.wait_for("is refused: it has muster 0.3.0")


class Identities(InsiderTest):
    def test_two_machines_with_one_key_are_told_so(self):
        self.start_server()
        first = self.start_computer()
        clone = self.path("clone")
        os.mkdir(clone)
        shutil.copy2(os.path.join(first.state, "machine.key"), clone)
        second = self.start("worker", "--role", "compute", state=clone)
        for one in (first, second):
            one.wait_for("two machines share an identity")

    def test_a_machine_that_connects_again_and_again_has_to_wait(self):
        self.start_server()
        identity = Identity()
        for _ in range(60):
            self.rogue(Rogue, identity=identity).leave()
        again = self.add(Rogue(self.port, identity=identity))
        again.wait_closed(WAIT_S)
        self.assertIn("60 times in a minute", again.refusal)
        self.rogue(Rogue)  # Another machine may come.

    def test_foreign_words_reach_no_terminal_as_they_are(self):
        self.start_server()
        self.rogue(Rogue, owner="\x1b[2J\x9b2Jowned\nby me")
        self.assertTrue(self.muster("status", "--json").stdout.isascii())
        status = self.muster("status")
        self.assertIn("owned", status.stdout)
        self.assertEqual([line for line in status.stdout.splitlines() if line.startswith("by me")], [])
        self.assertNotIn("\x9b", status.stdout)
        self.assertNotIn("\x1b", status.stdout + "".join(self.server.lines))


if __name__ == "__main__":
    unittest.main()
