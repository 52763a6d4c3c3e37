"""C1 of the review: no machine is believed when it says what only another may say. Each row is one machine that was
never lent anything, and what it says while honest leases are out."""
import unittest

import wire
from insider import ITEMS, InsiderTest, numeric_class, questions
from rogue import COORDINATOR, COORDINATOR_FLAG, SERVER, STORAGE, WORKER, Identity, Rogue, request_digest

e, j, r = wire.envelope, wire.job, wire.record
LATE = 1 << 60  # A revision, or the number of a view, beyond all others.


class SaysWhatOthersSay(InsiderTest):
    def setUp(self):
        super().setUp()
        self.start_honest_pool()
        self.table = self.undisturbed()
        self.job = self.begin_held_job()

    def assert_harmless(self, *said, flag=e.ROLE_FLAG_COMPUTE):
        """Every (role, machine, body) is said, and changes nothing."""
        node = self.rogue(Rogue, flag=flag)
        for role, machine, body in said:
            node.say(role, machine, **body)
        self.assert_honest(self.job, self.table, node)

    def to_computers(self, **body):
        return [(WORKER, computer.machine, body) for computer in self.computers]

    def to_stores(self, **body):
        return [(STORAGE, store.machine, body) for store in self.stores]

    def to_coordinator(self, **body):
        return (COORDINATOR, self.job.row.coordinator, body)

    def leases(self, count=4):
        return [e.LeaseId(epoch=self.job.key.epoch, number=number) for number in range(1, count + 1)]

    # What a coordinator says to the server.

    def test_finish(self):
        wonderful = j.TaskResult(task="tinyHellaswag", version="0", items=ITEMS, documents=100, wanted_votes=2,
                                 least_votes=2, metrics=[j.Metric(name="acc", value=0.9999)])
        finish = e.Finish(key=self.job.key, result=j.JobResult(tasks=[wonderful], model=self.job.row.model))
        self.assert_harmless((SERVER, "", dict(finish=finish)))

    def test_report_charge(self):
        honest = self.computers[0].machine
        charges = [j.Charge(job=self.job.key.job, run=self.job.key.run, item=item, machine=honest, difference="lies")
                   for item in range(3)]
        self.assert_harmless(*[(SERVER, "", dict(report_charge=e.ReportCharge(key=self.job.key, charge=charge)))
                               for charge in charges])
        self.assertEqual(self.quarantined(), [])

    def test_want_workers(self):
        released = [computer.machine for computer in self.computers]
        want = e.WantWorkers(key=self.job.key, count=0, released=released)
        self.assert_harmless((SERVER, "", dict(want_workers=want)))

    def test_all_else_that_a_coordinator_tells_the_server(self):
        key = self.job.key
        self.assert_harmless(
            (SERVER, "", dict(commit_frozen=e.CommitFrozen(key=key, digest=b"x" * 32))),
            (SERVER, "", dict(commit_class=e.CommitClass(key=key, numeric_class="mine"))),
            (SERVER, "", dict(job_progress=e.JobProgress(key=key, settled=3, total=3, reason="all is well"))),
            (SERVER, "", dict(pinned=e.Pinned(call=1, model=j.ModelPin(name="mine", commit="0" * 40)))))

    def test_a_worker_does_not_lend_itself(self):
        key = self.job.key

        class LendsItself(Rogue):
            def on_pool_state(self, envelope):
                if not envelope.pool_state.lent_known:
                    self.say(SERVER, holding=e.Holding(key=key))
                super().on_pool_state(envelope)
        node = self.rogue(LendsItself)
        self.assert_honest(self.job, self.table)
        lent_itself = f"machine {node.machine[:8]} works for job"
        self.assertEqual([line for line in list(self.server.lines) if lent_itself in line], [])

    # What the server says.

    def test_pool_state(self):
        self.assert_harmless(*self.to_stores(pool_state=e.PoolState(revision=LATE)))

    def test_assign(self):
        row = j.JobRow()
        row.CopyFrom(self.job.row)
        row.epoch += 10
        self.assert_harmless(self.to_coordinator(assign=e.Assign(row=row, revision=LATE)))

    def test_lend(self):
        quarantined = [computer.machine for computer in self.computers]
        lend = e.Lend(key=self.job.key, revision=LATE, quarantined=quarantined)
        self.assert_harmless(self.to_coordinator(lend=lend))

    def test_finished(self):
        self.assert_harmless(self.to_coordinator(finished=e.Finished(key=self.job.key)))

    def test_class_committed(self):
        committed = e.ClassCommitted(key=self.job.key, numeric_classes=["mine"])
        self.assert_harmless(self.to_coordinator(class_committed=committed))

    def test_charge_noted(self):
        noted = e.ChargeNoted(key=self.job.key, item=0, machine=self.computers[0].machine)
        self.assert_harmless(self.to_coordinator(charge_noted=noted))

    def test_refused_is_relayed_to_nobody(self):
        refused = dict(refused=e.Refused(reason="go away"))
        self.assert_harmless(self.to_coordinator(**refused), *self.to_stores(**refused), *self.to_computers(**refused))

    def test_challenge_is_relayed_to_nobody(self):
        self.assert_harmless(*self.to_computers(challenge=e.Challenge(nonce=b"sign this, please")))

    # What a coordinator says to a worker.

    def test_prepare(self):
        self.assert_harmless(*self.to_computers(prepare=e.Prepare(key=self.job.key)))

    def test_grant_with_other_requests_under_the_right_digest(self):
        items, gold = questions()
        grant = e.Grant(key=self.job.key, lease=e.LeaseId(epoch=self.job.key.epoch, number=1000))
        for number, (item, right) in enumerate(zip(items, gold)):
            asked = grant.items.add(item=number, digest=request_digest(item))
            for i, (context, continuation) in enumerate(item):
                asked.requests.add(context=context, continuation=" a" if i == right else continuation)
        self.assert_harmless(*self.to_computers(grant=grant))

    def test_withdraw(self):
        self.assert_harmless(*[said for lease in self.leases()
                               for said in self.to_computers(withdraw=e.Withdraw(key=self.job.key, lease=lease))])

    # What another worker, or a store, says.

    def test_lease_failed_on_leases_of_others(self):
        failed = [e.LeaseFailed(key=self.job.key, lease=lease, item=item, users_fault=True, message="it cannot work")
                  for lease in self.leases(2) for item in range(2)]
        self.assert_harmless(*[self.to_coordinator(lease_failed=one) for one in failed])

    def test_a_view_of_its_own(self):
        body = dict(put_refused=e.PutRefused(view=LATE))
        self.assert_harmless(self.to_coordinator(**body), *self.to_computers(**body))


class AnotherCoordinator(InsiderTest):
    """The rogue is a coordinator that the operator named, and speaks of a job that is not its."""

    def setUp(self):
        super().setUp()
        self.identity = Identity()
        self.start_server()
        self.coordinator = self.join("coordinator")
        self.server.stop()
        self.daemons.remove(self.server)
        self.start_server("--coordinator", self.coordinator.machine, "--coordinator", self.identity.machine,
                          state=self.server.state)
        self.coordinator.wait_for("connected to the server", count=2)
        self.coordinator.lines.clear()
        self.stores = [self.start_store() for _ in range(2)]
        self.computers = [self.start_computer() for _ in range(self.COMPUTE)]
        self.server.wait_for("copies 2 of 2")
        self.table = self.undisturbed()
        self.job = self.begin_held_job()
        self.node = self.rogue(Rogue, flag=COORDINATOR_FLAG, identity=self.identity)

    def test_it_tells_the_server_how_anothers_job_goes(self):
        key, honest = self.job.key, self.computers[0].machine
        wonderful = j.TaskResult(task="tinyHellaswag", version="0", items=ITEMS, documents=100, wanted_votes=2,
                                 least_votes=2, metrics=[j.Metric(name="acc", value=0.9999)])
        charges = [j.Charge(job=key.job, run=key.run, item=item, machine=honest, difference="lies")
                   for item in range(3)]
        said = [dict(report_charge=e.ReportCharge(key=key, charge=charge)) for charge in charges]
        said += [dict(want_workers=e.WantWorkers(key=key, count=0, released=[one.machine for one in self.computers])),
                 dict(commit_class=e.CommitClass(key=key, numeric_class="mine")),
                 dict(commit_frozen=e.CommitFrozen(key=key, digest=b"x" * 32)),
                 dict(job_progress=e.JobProgress(key=key, settled=3, total=3, reason="all is well")),
                 dict(finish=e.Finish(key=key, result=j.JobResult(tasks=[wonderful], model=self.job.row.model)))]
        for body in said:
            self.node.say(SERVER, **body)
        self.assert_honest(self.job, self.table)
        self.assertEqual(self.quarantined(), [])

    def test_it_gives_orders_in_anothers_job(self):
        key = self.job.key
        for computer in self.computers:
            self.node.say(WORKER, computer.machine, prepare=e.Prepare(key=key))
            for number in range(1, 5):
                lease = e.LeaseId(epoch=key.epoch, number=number)
                self.node.say(WORKER, computer.machine, withdraw=e.Withdraw(key=key, lease=lease))
        items, _ = questions()
        settled = [r.Settled(item=i, votes=[b"x" * 32, b"y" * 32], numeric_class=numeric_class(),
                             responses=[r.Response(loglikelihood=-1.0, tokens=8)] * len(items[i]))
                   for i in range(ITEMS)]
        records = [r.Record(job=key.job, run=key.run, epoch=key.epoch + 1, seal=r.Seal())]
        records += [r.Record(job=key.job, run=key.run, epoch=key.epoch, settled=one) for one in settled]
        signed = [self.identity.sign(record) for record in records]
        for store in self.stores:
            self.node.say(STORAGE, store.machine, put=e.Put(view=self.node.state.view.number, records=signed))
            ask = e.Subscribe(job=key.job, run=key.run, epoch=key.epoch)
            self.node.say(STORAGE, store.machine, subscribe=ask)
        self.assert_honest(self.job, self.table, self.node)
        self.assertEqual(self.node.heard_of("feed"), [])


class RenewsLeasesOfOthers(InsiderTest):
    def test_progress_on_leases_of_others_keeps_none_alive(self):
        self.engines.say_no_progress()  # Their engines stand still, so that their leases end.
        self.start_honest_pool()
        table = self.undisturbed()
        job = self.begin_held_job()
        node = self.rogue(Rogue)

        def renew():
            for number in range(1, 7):
                lease = e.LeaseId(epoch=job.key.epoch, number=number)
                node.say(COORDINATOR, job.row.coordinator, progress=e.Progress(key=job.key, lease=lease))
        node.repeat = renew
        self.coordinator.wait_for("made no progress", count=2)
        node.repeat = lambda: None
        self.assert_honest(job, table, node)


if __name__ == "__main__":
    unittest.main()
