"""C3, C4 and C5 of the review: what is malformed or without end harms neither whom it is said to nor who passes it
on."""
import unittest

import wire
from insider import ITEMS, WAIT_S, InsiderTest, numeric_class
from rogue import COORDINATOR, STORAGE, STORAGE_FLAG, Lender, Rogue, Store

e, r = wire.envelope, wire.record
FOUR_MIB = 4 << 20  # gRPC's own limit: what is larger by the address written into it costs the next line.


class OfAStrangerTest(InsiderTest):
    """The rogue is never lent, and in no view."""

    def setUp(self):
        super().setUp()
        self.start_honest_pool()
        self.table = self.undisturbed()
        self.job = self.begin_held_job()

    def test_a_malformed_digest_is_not_the_disks_fault(self):
        node = self.rogue(Rogue, flag=STORAGE_FLAG)
        ask = e.Subscribe(job=self.job.key.job, run=self.job.key.run, digests=[b"x"], copying=True)
        for store in self.stores:
            node.say(STORAGE, store.machine, subscribe=ask)
        self.assert_honest(self.job, self.table, node)
        for store in self.stores:
            self.assertEqual(store.count("cannot"), 0, store.lines)

    def put_answer(self, node, **fields):
        key = self.job.key
        answer = r.Answer(item=0, request_digest=b"x" * 32, **fields)
        signed = node.identity.sign(r.Record(job=key.job, run=key.run, epoch=key.epoch, answer=answer))
        for store in self.stores:
            node.say(STORAGE, store.machine, put=e.Put(view=node.state.view.number, records=[signed]))

    def test_an_answer_of_4_mib(self):
        node = self.rogue()
        self.put_answer(node, numeric_class="x" * (FOUR_MIB - 400))
        self.assert_honest(self.job, self.table, node)

    def test_an_answer_of_900_kb(self):
        node = self.rogue()
        self.put_answer(node, numeric_class="x" * 900_000)
        self.assert_honest(self.job, self.table, node)

    def test_answers_whose_classes_fill_the_result(self):
        node = self.rogue()
        for number in range(24):
            self.put_answer(node, numeric_class=f"{number}" + "x" * 180_000)
        self.assert_honest(self.job, self.table, node)

    def test_a_hello_with_a_store_id_of_4_mb(self):
        node = self.add(Rogue(self.port, flag=STORAGE_FLAG, store_id="x" * 4_000_000))
        node.wait_closed(WAIT_S)
        self.assert_honest(self.job, self.table)
        self.start_computer()

    def test_hellos_with_owners_of_3_mb(self):
        for _ in range(3):
            self.add(Rogue(self.port, owner="x" * 3_000_000)).wait_closed(WAIT_S)
        self.assert_honest(self.job, self.table)
        status = self.muster("status", "--json")
        self.assertEqual((status.returncode, len(status.stdout) < 100_000), (0, True))


class OfAMemberTest(InsiderTest):
    """The rogue is one of the two stores of the view."""

    def test_a_malformed_digest_from_another_store_of_the_view(self):
        self.start_server()
        node = self.add(Store(self.port)).wait_joined(WAIT_S)
        store = self.start_store()
        self.server.wait_for("copies 2 of 2")
        for _ in range(self.COMPUTE):
            self.start_computer()
        self.coordinator = self.join("coordinator")
        table = self.undisturbed()
        job = self.begin_held_job()
        for digest in (b"x", b"", b"x" * 33, b"x" * 4096):
            ask = e.Subscribe(job=job.key.job, run=job.key.run, digests=[digest], copying=True)
            node.say(STORAGE, store.machine, subscribe=ask)
        self.assert_honest(job, table, node)
        self.assertEqual(store.count("cannot"), 0, store.lines)


class OfALentMachineTest(InsiderTest):
    """The rogue is lent to the job, and speaks to its coordinator."""

    def assert_survives(self, prepare):
        self.start_honest_pool()
        table = self.undisturbed()
        node = self.rogue(Lender, numeric_class(), lambda item: None, prepare=lambda envelope: prepare(node, envelope))
        self.assert_honest(self.begin_job(), table, node)

    def say(self, **body):
        """Stands in for Ready when the coordinator says Prepare."""
        return lambda node, envelope: node.say(COORDINATOR, getattr(envelope, "from").machine, **{
            name: message(envelope.prepare.key) for name, message in body.items()})

    @staticmethod
    def unable(reason_bytes):
        failure = e.Failure(code="failed", message="x" * reason_bytes)
        return lambda key: e.Unable(key=key, failure=failure)

    def test_unable_for_a_reason_of_2_mb(self):
        self.assert_survives(self.say(unable=self.unable(2_100_000)))

    def test_unable_for_a_reason_of_900_kb(self):
        self.assert_survives(self.say(unable=self.unable(900_000)))

    def test_ready_with_a_class_of_180_kb(self):
        self.assert_survives(self.say(ready=lambda key: e.Ready(key=key, numeric_class="x" * 180_000)))

    def test_ready_that_claims_leases_it_was_never_granted(self):
        def claim(node, envelope):
            key = envelope.prepare.key
            ready = e.Ready(key=key, numeric_class=numeric_class())
            for number in range(1, 60):
                self.claim_one(ready, node.identity, key, number)
            node.say(COORDINATOR, getattr(envelope, "from").machine, ready=ready)
        self.assert_survives(claim)

    def test_answers_that_are_no_numbers(self):
        self.start_honest_pool()
        table = self.undisturbed()

        def no_numbers(item):
            return [r.Response(loglikelihood=float("nan"), is_greedy=True, tokens=8, margin=float("inf"))
                    for _ in item.requests]
        node = self.rogue(Lender, numeric_class(), no_numbers)
        self.assert_honest(self.begin_job(), table, node, words="does not fit")

    def claim_one(self, ready, identity, key, number):
        held = ready.leases.add(items=range(ITEMS))
        terms = r.GrantTerms(lease=number, machine=identity.machine, items=range(ITEMS))
        held.terms.CopyFrom(identity.sign(r.Record(job=key.job, run=key.run, epoch=key.epoch, grant=terms)))


if __name__ == "__main__":
    unittest.main()
