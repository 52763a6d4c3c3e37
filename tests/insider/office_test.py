"""H1 and H5 to H8 of the review: what needs no malice. One machine that is wrong, unable, slow to load or for ever at
its last item, and a job whose model nobody has, harm neither the job nor others."""
import json
import os
import shutil
import unittest

import wire
from insider import NEOX, WAIT_S, InsiderTest, lie, numeric_class
from pool.waiting import eventually
from rogue import COORDINATOR, Lender

e = wire.envelope


def say_unable(node, envelope):
    failure = e.Failure(code="failed", message="its memory is full")
    node.say(COORDINATOR, getattr(envelope, "from").machine,
             unable=e.Unable(key=envelope.prepare.key, failure=failure))


class AnotherOwner(InsiderTest):
    """Four machines of one owner agree; the one of another owner does not, or cannot."""

    COMPUTE = 4

    def start_one_owner(self):
        self.start_honest_pool(compute=0)
        self.computers = [self.start_computer("--owner", "lab") for _ in range(self.COMPUTE)]
        return self.undisturbed()

    def test_it_is_always_wrong(self):
        table = self.start_one_owner()
        wrong = self.rogue(Lender, numeric_class(), lambda item: lie(len(item.requests), 0), owner="other")
        self.assert_honest(self.begin_job("--quorum_wait", "5"), table, wrong, words="outvoted|instead|differ")

    def test_it_is_unable(self):
        table = self.start_one_owner()
        unable = self.rogue(Lender, "", lambda item: None, owner="other",
                            prepare=lambda envelope: say_unable(unable, envelope))
        self.scores.close()  # A job that is done has no reasons left.
        job = self.begin_job("--quorum_wait", "5")
        why = eventually(lambda: "memory is full" in str(self.why(unable.machine)), "nobody says why")
        self.scores.open()
        self.assertEqual((self.outcome(job), why), (table, True))


class OtherBytes(InsiderTest):
    def test_a_copy_of_the_model_that_differs_in_a_byte_is_named(self):
        """The last bit of the last weight: every number it leads to is within what machines may differ by."""
        self.start_honest_pool()
        table = self.undisturbed()
        copy = self.path("copy")
        shutil.copytree(NEOX, copy)
        with open(os.path.join(copy, "model.safetensors"), "r+b") as weights:
            weights.seek(-4, os.SEEK_END)
            last = weights.read(1)[0]
            weights.seek(-4, os.SEEK_END)
            weights.write(bytes([last ^ 1]))
        engines = self.stand_in()
        engines.load_instead(copy)
        other = self.start_computer(engines=engines)
        self.scores.close()  # The others have their model loaded, and would have done all before it can answer.
        job = self.begin_job()
        self.coordinator.wait_for(f"lease \\d+ to {other.machine[:8]}")
        self.scores.open()
        self.assert_honest(job, table, other, words="it loaded other bytes of the model")


class SlowLoads(InsiderTest):
    def test_a_load_longer_than_a_lease_after_a_crash_is_left_to_end(self):
        """The other machine's engine stands still without loading: that it loses its lease tells that time is up."""
        self.engines.say_no_progress()
        self.start_honest_pool(compute=1)
        engines = self.stand_in()
        slow = self.start_computer(engines=engines)
        table = self.undisturbed()
        self.scores.close()
        engines.scores.close()
        engines.loads.close()
        job = self.begin_job()
        engines.scores.crash_one()
        lost = f"of {self.computers[0].machine[:8]} made no progress"
        self.coordinator.wait_for(lost, count=2)
        engines.loads.open()
        self.scores.open()
        lost = self.coordinator.count(f"of {slow.machine[:8]} made no progress")
        self.assertEqual((self.outcome(job), engines.starts(), lost), (table, 2, 0))


class NobodyHasTheModel(InsiderTest):
    def test_a_job_that_cannot_run_keeps_no_machine(self):
        self.start_honest_pool()
        table = self.undisturbed()
        gone = self.path("gone")
        shutil.copytree(NEOX, gone)
        with open(os.path.join(gone, "config.json")) as file:
            config = json.load(file)
        with open(os.path.join(gone, "config.json"), "w") as file:  # Another model than the one that is loaded.
            json.dump({**config, "insider": True}, file)
        self.loads.close()  # It is accepted while its model is there.
        hopeless = self.begin_job("--quorum_wait", "5", model=gone)
        self.computers[0].wait_for("loading gone")
        shutil.rmtree(gone)
        self.loads.open()
        job = self.begin_job()
        self.assert_honest(job, table)
        self.assertRegex(self.outcome(hopeless), "exit code 1: ")


class Crawlers(InsiderTest):
    def start_gated(self):
        """It takes leases and says that it goes on, but ends no item while its gate is closed."""
        engines = self.stand_in()
        engines.say_progress()
        gated = self.start_computer(engines=engines)
        gated.gate = engines.scores
        return gated

    def begin_gated_job(self):
        """One item, for which two of three machines have a lease; `self.holder[N]` holds lease N."""
        self.start_honest_pool(compute=0)
        gated = {one.machine[:8]: one for one in [self.start_gated() for _ in range(3)]}
        table = self.undisturbed(limit=1)
        self.coordinator.lines.clear()
        for one in gated.values():
            one.gate.close()
        job = self.begin_job(limit=1)
        self.coordinator.wait_for(r"lease 2 to")
        self.holder = lambda number: gated[next(line for line in self.coordinator.lines
                                                if f"lease {number} to" in line).split(" to ")[1][:8]]
        self.gated = gated.values()
        return job, table

    def test_one_crawler_does_not_hold_the_last_item(self):
        job, table = self.begin_gated_job()
        for one in self.gated:
            if one is not self.holder(1):
                one.gate.open()
        self.assertEqual((self.outcome(job), self.harmed()), (table, []))

    def test_nor_does_it_when_the_machine_that_copies_dies(self):
        job, table = self.begin_gated_job()
        self.coordinator.wait_for("lease 3 to .*, a copy")
        self.holder(3).kill()
        self.holder(2).gate.open()
        self.start_computer()
        self.assertEqual(self.outcome(job), table)


class ReadyFirst(InsiderTest):
    def test_a_class_of_its_own_that_never_answers_is_lost(self):
        self.loads.close()
        self.start_honest_pool()
        first = self.rogue(Lender, "approximate-mine", lambda item: None)
        job = self.begin_job("--quorum_wait", "5")
        first.wait_for("grant", WAIT_S)
        self.loads.open()
        found = self.outcome(job), self.wait_named(first.machine, "lease|class|refused")
        first.leave()
        self.assertEqual(found, (self.undisturbed(), True))


if __name__ == "__main__":
    unittest.main()
