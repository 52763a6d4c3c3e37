"""What somebody with a certificate of the pool may not do with it: over TLS, with another program than muster."""
import os
import unittest

import grpc
from insider import WAIT_S
from pool.test_cases import PoolTest
from rogue import COORDINATOR_FLAG, Certificate, Identity, Researcher, Rogue


class Certified(PoolTest):
    def setUp(self):
        super().setUp()
        self.start_pool([], coordinator=False)
        self.elsewhere = {"XDG_STATE_HOME": self.path("elsewhere"), "XDG_CONFIG_HOME": self.path("config")}

    def token(self, role):
        done = self.muster("token", "create", "--role", role, "--owner", role)
        return {**self.elsewhere, "MUSTER_TOKEN": done.stdout.strip()}

    def of_machine(self, role):
        daemon = self.start(role, env=self.token(role))
        daemon.wait_for("connected to")
        self.daemons.pop().stop()
        return Certificate.of_machine(daemon.state)

    def of_researcher(self):
        done = self.muster("login", env=self.token("researcher"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return Certificate.of_person(self.path("config", "muster", "login.json"))

    def node(self, certificate, identity=None, **more):
        node = Rogue(self.port, certificate=certificate, identity=identity or certificate.identity, **more)
        self.addCleanup(node.leave)
        return node

    def assert_refused(self, node, words):
        node.wait_closed(WAIT_S)
        self.assertIn(words, node.refusal)

    def assert_asks_in_vain(self, certificate, words):
        client = Researcher(self.port, certificate)
        self.addCleanup(client.close)
        for ask in (lambda: client.pardon("0123456789abcdef"), client.status):
            try:
                said = ask().failure.message
            except grpc.RpcError as error:
                said = error.details()
            self.assertIn(words, said)
            if "operator" in words:
                return

    def test_a_worker_with_its_own_certificate_is_what_it_says(self):
        self.node(self.of_machine("worker")).wait_joined(WAIT_S)

    def test_a_workers_is_no_coordinators(self):
        self.assert_refused(self.node(self.of_machine("worker"), flag=COORDINATOR_FLAG), "is that of a worker")

    def test_a_certificate_is_worth_nothing_with_another_key(self):
        self.assert_refused(self.node(self.of_machine("worker"), identity=Identity()), "not that of its certificate")

    def test_a_machine_asks_for_nothing(self):
        for role in ("worker", "coordinator"):
            self.assert_asks_in_vain(self.of_machine(role), "asks for nothing")

    def test_a_researcher_is_no_machine_and_no_operator(self):
        alice = self.of_researcher()
        self.assert_refused(self.node(alice), "is that of a researcher")
        self.assert_asks_in_vain(alice, "only an operator")

    def test_a_certificate_that_somebody_made_himself_does_not_get_that_far(self):
        other = self.of_machine("worker")
        self.server.stop()
        os.remove(os.path.join(self.server.state, "server.db"))
        for name in ("authority.crt", "authority.key"):
            os.remove(os.path.join(self.server.state, name))
        self.server = self.start("server", state=self.server.state)
        self.server.wait_for("serving on")
        node = self.node(other)
        node.wait_closed(WAIT_S)
        self.assertEqual(node.heard, [])


if __name__ == "__main__":
    unittest.main()
