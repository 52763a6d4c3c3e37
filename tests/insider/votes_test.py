"""C2, C8 and H12 of the review: a vote counts when it was asked for, whoever stores it; what a store says of itself
settles, seals and shows nothing."""
import collections
import re
import unittest

import wire
from insider import ITEMS, REFUSED, WAIT_S, InsiderTest, lie, numeric_class, questions
from pool.waiting import eventually
from rogue import STORAGE, STORAGE_FLAG, Identity, Rogue, Store, request_digest

e, r = wire.envelope, wire.record
FAR = 1 << 62  # An epoch beyond all others.
FEEDS = "feeds what"  # How a store is named that says what no honest one has.


class Voters:
    """Signed lies about every item of a run, by whoever has a key."""

    def __init__(self, key):
        self.key, self.numeric_class = key, numeric_class()
        self.items, self.gold = questions()

    def lies_of(self, identity):
        return [self.lie_of(identity, item) for item in range(ITEMS)]

    def lie_of(self, identity, item):
        choices = self.items[item]
        answer = r.Answer(item=item, request_digest=request_digest(choices), numeric_class=self.numeric_class,
                          responses=lie(len(choices), self.gold[item]),
                          grant=self.terms_of(identity, item))
        return identity.sign(r.Record(job=self.key.job, run=self.key.run, epoch=self.key.epoch, answer=answer))

    def terms_of(self, identity, item):
        """What a coordinator would have signed; signed by the liar itself."""
        terms = r.GrantTerms(lease=item + 1, machine=identity.machine, items=[item])
        return identity.sign(r.Record(job=self.key.job, run=self.key.run, epoch=self.key.epoch, grant=terms))


class AnswersUnasked(InsiderTest):
    def put_lies(self, job, rogues):
        voters = Voters(job.key)
        for node in rogues:
            for store in self.stores:
                view = node.state.view.number
                node.say(STORAGE, store.machine, put=e.Put(view=view, records=voters.lies_of(node.identity)))

    def stored_since(self, line):
        """How many records of each machine a store has said it stored."""
        stored = collections.Counter()
        for said in list(self.stores[0].lines)[line:]:
            if found := re.search(r"(\d+) records of (\w+) stored", said):
                stored[found[2]] += int(found[1])
        return stored.values()

    def test_two_workers_answer_every_item_before_anybody_else(self):
        self.start_honest_pool()
        table = self.undisturbed()
        job = self.begin_held_job()
        rogues = [self.rogue(), self.rogue()]
        self.put_lies(job, rogues)
        self.assert_honest(job, table, *rogues)
        self.assertEqual(self.quarantined(), [])

    def test_two_workers_outvote_an_honest_one_that_was_first(self):
        self.start_honest_pool(compute=1)
        other = self.stand_in()
        self.start_computer(engines=other)
        table = self.undisturbed()
        other.scores.close()
        before = len(self.stores[0].lines)
        job = self.begin_job()
        eventually(lambda: max(self.stored_since(before), default=0) >= ITEMS, "the first machine has not answered all")
        row = self.running_job()
        job.key = e.JobKey(job=row.job, run=row.run, epoch=row.epoch)
        rogues = [self.rogue(), self.rogue()]
        self.put_lies(job, rogues)
        named = [self.wait_named(node.machine, REFUSED) for node in rogues]
        other.scores.open()
        self.assertEqual((self.outcome(job), named, self.quarantined()), (table, [True, True], []))


class WithARogueStore(InsiderTest):
    """One of the two stores of the view is a rogue, which does its duties until it lies."""

    def setUp(self):
        super().setUp()
        self.start_server()
        self.store = self.add(Store(self.port)).wait_joined(WAIT_S)
        self.stores = [self.start_store()]
        self.server.wait_for("copies 2 of 2")
        self.store.wait_member(WAIT_S)
        self.start_computers()
        self.coordinator = self.join("coordinator")
        self.table = self.undisturbed()
        self.job = self.begin_held_job()

    def start_computers(self):
        self.computers = [self.start_computer() for _ in range(self.COMPUTE)]

    def invented(self):
        voters = Voters(self.job.key)
        return [record for voter in (Identity(), Identity()) for record in voters.lies_of(voter)]


class AStoreLies(WithARogueStore):
    def feed_of(self, *records):
        """Stands in for what the store answers to a Subscribe: these, once, and then nothing more."""
        feeds = [records]

        def feed(request):
            if not feeds or request.run != self.job.key.run or request.copying:
                return None
            return e.Feed(records=feeds.pop(), next=request.cursor + 1, at_end=True)
        return feed

    def test_it_invents_voters_at_once(self):
        self.store.lie(self.feed_of(*self.invented()))
        self.assert_honest(self.job, self.table, self.store, words=FEEDS)
        self.assertEqual(self.quarantined(), [])

    def test_it_answers_with_a_seal_and_verdicts_that_nobody_wrote(self):
        key, nobody = self.job.key, Identity()
        items, gold = questions()
        settled = [r.Settled(item=i, votes=[b"x" * 32, b"y" * 32], responses=lie(len(items[i]), gold[i]),
                             numeric_class=numeric_class()) for i in range(ITEMS)]
        records = [r.Record(job=key.job, run=key.run, epoch=FAR, seal=r.Seal())]
        records += [r.Record(job=key.job, run=key.run, epoch=key.epoch, settled=one) for one in settled]
        self.store.lie(self.feed_of(*map(nobody.sign, records)))
        self.assert_honest(self.job, self.table, self.store, words=FEEDS)

    def test_a_seal_that_nobody_wrote_bars_no_coordinator(self):
        key = self.job.key
        seal = Identity().sign(r.Record(job=key.job, run=key.run, epoch=FAR, seal=r.Seal()))
        feed = e.Feed(job=key.job, run=key.run, records=[seal], at_end=True, copying=True, picked=True)
        self.store.say(STORAGE, self.stores[0].machine, feed=feed)
        self.assert_honest(self.job, self.table)  # Nobody asked it: not a word of it is read, or held against it.


class AStoreLiesLate(WithARogueStore):
    """What one machine answered is stored; the other has not answered yet."""

    def start_computers(self):
        last = self.stand_in()
        last.say_progress()
        self.last = last.scores
        self.computers = [self.start_computer(), self.start_computer(engines=last)]

    def begin_held_job(self):
        self.last.close()
        return super().begin_held_job()

    def test_it_invents_voters_when_honest_answers_are_there(self):
        invented = self.invented()

        def lie_late(request):
            honest = self.store.honest_feed(request)
            if honest and honest.records:
                honest.records.extend(invented)
            return honest
        self.store.feed = lie_late
        self.scores.open()
        named = self.wait_named(self.store.machine, FEEDS)
        self.last.open()
        self.assertEqual((self.outcome(self.job), named, self.quarantined()), (self.table, True, []))


class ReadsAnswers(InsiderTest):
    """Who may read what others answered, before it has answered itself?"""

    def setUp(self):
        super().setUp()
        self.start_honest_pool()
        self.table = self.undisturbed()
        self.job = self.begin_held_job()

    def assert_reads_nothing(self, flag):
        node = self.rogue(Rogue, flag=flag)
        for store in self.stores:
            ask = e.Subscribe(job=self.job.key.job, run=self.job.key.run, epoch=self.job.key.epoch, copying=True)
            node.say(STORAGE, store.machine, subscribe=ask)
        self.assert_honest(self.job, self.table, node)
        self.assertEqual(node.heard_of("feed"), [])

    def test_a_worker_reads_no_answers(self):
        self.assert_reads_nothing(e.ROLE_FLAG_COMPUTE)

    def test_a_store_outside_the_view_reads_no_answers(self):
        self.assert_reads_nothing(STORAGE_FLAG)


if __name__ == "__main__":
    unittest.main()
