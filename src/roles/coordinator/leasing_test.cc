#include "roles/coordinator/leasing.h"

#include "roles/coordinator/situation_stage.h"
#include "wire/no_keys.h"

namespace muster::roles::coordinator {
namespace {

using Indices = std::vector<uint32_t>;
using Names = std::set<std::string>;

// Redundancy 1, two items: small enough to see who gets what.
class LeasingTest : public SituationStage {
 protected:
  explicit LeasingTest(const StageSetting& its = {.redundancy = 1, .items = 2})
      : SituationStage(its) {}

  // What a step does: who is granted a list, and who is told to stop.
  struct Done {
    std::map<std::string, Indices> granted;
    std::map<LeaseId, std::string> stopped;
  };
  static Done read(const Effects& step) {
    Done done;
    for (const Send& send : step.send) {
      const pb::Envelope& envelope = send.envelope;
      EXPECT_EQ(envelope.to().role(), pb::ROLE_WORKER);
      for (const auto& item : envelope.grant().items()) {
        done.granted[envelope.to().machine()].push_back(item.item());
      }
      if (!envelope.has_withdraw()) continue;
      EXPECT_EQ(envelope.withdraw().key().job(), "job");
      done.stopped[to_lease_id(envelope.withdraw().lease())] = envelope.to().machine();
    }
    return done;
  }
  std::map<std::string, Indices> grant() {
    effects = {};
    leasing.grant_all(now, situation(), effects);
    return read(effects).granted;
  }
  std::map<LeaseId, std::string> stop_settled(uint32_t index) {
    effects = {};
    leasing.stop_settled(items[index], effects);
    return read(effects).stopped;
  }
  // What was counted in the last step, each of no kind or one.
  [[nodiscard]] std::vector<std::string> counted(Count::What what) const {
    std::vector<std::string> kinds;
    for (const Count& count : effects.counts) {
      if (count.what == what) kinds.push_back(count.of);
    }
    return kinds;
  }
  std::vector<Leasing::Expired> expire() {
    effects = {};
    return leasing.expire(now, effects);
  }
  // What the machine shows: terms for some items, of which it holds some still.
  std::map<LeaseId, std::string> adopt(const LeaseId& id, const std::string& machine,
                                       const Indices& granted, const Indices& held) {
    pb::GrantTerms terms;
    terms.set_machine(machine);
    terms.mutable_items()->Add(granted.begin(), granted.end());
    pb::HeldLease still;
    still.mutable_items()->Add(held.begin(), held.end());
    effects = {};
    leasing.adopt(now, id, terms, still, effects);
    return read(effects).stopped;
  }

  NoKeys keys;
  Rng rng{1};
  Leasing leasing{key, keys, items, leases, machines, rng};
};

// ---- What is given out, and to whom.

TEST_F(LeasingTest, OnlyIdleMachinesThatAreReadyGetWork) {
  ready({"a1", "b1", "c1"});
  arrive({"d1"});
  hear(0, "b1");
  hold("c1", {0});
  EXPECT_EQ(grant(), (std::map<std::string, Indices>{{"a1", {1}}}))
      << "b1 retires, c1 is at work, d1 is not ready";
  EXPECT_EQ(leases.holders(1), Names{"a1"});
  EXPECT_EQ(effects.wake_at, now + Lease::kWithoutProgress);
}

TEST_F(LeasingTest, NothingIsGivenOutWhileNoClassGivesValues) {
  ready({"a1"});
  set_classes({});
  EXPECT_TRUE(grant().empty());
  EXPECT_TRUE(leasing.has_changed()) << "it is looked again when there is one";
  set_classes({"A"});
  EXPECT_EQ(grant().size(), 1u);
}

TEST_F(LeasingTest, LooksAgainWhenSomethingHasChanged) {
  EXPECT_TRUE(grant().empty());
  EXPECT_FALSE(leasing.has_changed());
  ready({"a1"});
  EXPECT_TRUE(leasing.has_changed());
  EXPECT_EQ(grant().size(), 1u);
  EXPECT_TRUE(leasing.has_changed()) << "an idle machine could copy that";
  (void)grant();
  EXPECT_FALSE(leasing.has_changed());
}

TEST_F(LeasingTest, LooksAgainWhenAPauseIsOver) {
  ready({"a1"});
  machines.back_off(now, "a1");
  const Instant due = machines.find("a1")->not_before;
  EXPECT_TRUE(grant().empty());
  EXPECT_EQ(effects.wake_at, due);
  now = due - milliseconds(1);
  EXPECT_TRUE(grant().empty());
  EXPECT_EQ(effects.wake_at, due);
  now = due;
  EXPECT_EQ(grant().size(), 1u);
}

TEST_F(LeasingTest, LooksAgainWhenTheFirstOfSeveralPausesIsOver) {
  ready({"a1", "b1"});
  for (int i = 0; i < 3; ++i) machines.back_off(now, "a1");
  machines.back_off(now, "b1");
  EXPECT_TRUE(grant().empty());
  now = machines.find("b1")->not_before;
  EXPECT_EQ(grant().size(), 1u);
}

TEST_F(LeasingTest, WhoIsFirstIsDrawnAnewEachTime) {
  ready({"a1", "b1", "c1"});
  hold("d1", {0});
  Names first;
  for (int i = 0; i < 100; ++i) {
    const auto granted = grant();
    ASSERT_EQ(granted.size(), 3u) << "one has it, the others copy it and what d1 does";
    for (const auto& [id, lease] : leases.all()) {
      if (lease.machine != "d1" && !lease.is_copy) first.insert(lease.machine);
    }
    for (const char* name : {"a1", "b1", "c1"}) leasing.close(*leases.of(name).begin());
  }
  EXPECT_EQ(first, (Names{"a1", "b1", "c1"}));
}

TEST_F(LeasingTest, AnIdleMachineCopiesTheOldestLease) {
  ready({"a1", "b1"});
  const LeaseId original = hold("c1", {0, 1});
  const auto granted = grant();
  ASSERT_EQ(granted.size(), 1u) << "there is one copy of it";
  EXPECT_EQ(granted.begin()->second, (Indices{0, 1}));
  EXPECT_TRUE(leases.is_copied(*leases.find(original)));
  EXPECT_TRUE(leases.find(*leases.find(original)->copy)->is_copy);
}

class DisputedTest : public LeasingTest {
 protected:
  DisputedTest() : LeasingTest({.redundancy = 2, .items = 1}) {
    vote(0, "y1", -3);
    vote(0, "z1", -5);
  }
};

TEST_F(DisputedTest, AVoterIsDrawnForHalfAMinute) {
  ready({"a1", "b1", "c1"});
  const auto granted = grant();
  ASSERT_EQ(granted.size(), 1u);
  const std::string chosen = granted.begin()->first;
  EXPECT_EQ(items[0].chosen, chosen);
  EXPECT_EQ(items[0].chosen_until, now + seconds(30));
  leasing.close(*leases.of(chosen).begin());
  now += seconds(29);
  ASSERT_EQ(grant().size(), 1u);
  EXPECT_EQ(items[0].chosen, chosen) << "it may try again";
  Names drawn;
  for (int i = 0; i < 50; ++i) {
    now += seconds(30);
    (void)grant();  // Nobody has said that anything has changed.
    EXPECT_EQ(items[0].chosen_until, now + seconds(30));
    drawn.insert(items[0].chosen);
  }
  EXPECT_EQ(drawn.size(), 3u);
}

TEST_F(DisputedTest, AVoterWhoCannotAnyMoreIsDrawnAnew) {
  ready({"a1", "b1"});
  items.choose(0, "c1", now + seconds(30));
  EXPECT_EQ(grant().size(), 1u);
  const std::string chosen = items[0].chosen;
  EXPECT_TRUE(grant().empty());
  EXPECT_EQ(items[0].chosen, chosen) << "it is at it";
  leasing.close(*leases.of(chosen).begin());
  machines.leave(chosen);
  EXPECT_EQ(grant().size(), 1u);
  EXPECT_EQ(items[0].chosen, chosen == "a1" ? "b1" : "a1");
}

// ---- What ends a lease.

TEST_F(LeasingTest, ALeaseEndsWhenAllItsAnswersAreThereAndTellsTheSpeed) {
  ready({"a1", "b1"});
  const LeaseId lease = hold("a1", {0, 1}), others = hold("b1", {0});
  (void)grant();
  now += seconds(4);
  vote(0, "a1");
  vote(0, "b1");
  leasing.close_answered(now, "a1");
  EXPECT_NE(leases.find(lease), nullptr) << "one is missing";
  vote(1, "a1");
  leasing.close_answered(now, "a1");
  EXPECT_EQ(leases.find(lease), nullptr);
  EXPECT_NE(leases.find(others), nullptr) << "that is another's";
  EXPECT_EQ(machines.find("a1")->bytes_per_second, 50);
  EXPECT_TRUE(leasing.has_changed());
}

TEST_F(DisputedTest, AnItemThatNobodyIsAtAnyMoreIsLookedAtAgain) {
  leasing.close(hold("a1", {0}));
  EXPECT_EQ(items.take_left_alone(), Items::Indices{0});
}

TEST_F(LeasingTest, AnItemThatNobodyDisputesIsNot) {
  leasing.close(hold("a1", {0}));
  EXPECT_EQ(items.take_left_alone(), Items::Indices{});
}

TEST_F(LeasingTest, WhoWorksOnNothingButSettledItemsIsToldToStop) {
  ready({"a1", "b1"});
  const LeaseId in_vain = hold("a1", {0}), useful = hold("b1", {0, 1});
  settle(0);
  EXPECT_EQ(stop_settled(0), (std::map<LeaseId, std::string>{{in_vain, "a1"}}));
  EXPECT_EQ(leases.find(in_vain), nullptr);
  EXPECT_NE(leases.find(useful), nullptr);
  vote(1, "b1");
  EXPECT_EQ(stop_settled(0), (std::map<LeaseId, std::string>{{useful, "b1"}}))
      << "what is not settled it has answered";
}

TEST_F(LeasingTest, WhoHasAnsweredAllIsNotToldToStop) {
  ready({"a1"});
  const LeaseId lease = hold("a1", {0});
  vote(0, "a1");
  settle(0);
  EXPECT_TRUE(stop_settled(0).empty());
  EXPECT_NE(leases.find(lease), nullptr) << "it tells the speed when it is closed";
}

TEST_F(LeasingTest, WithoutProgressALeaseEndsAndItsMachineIsToldToStop) {
  ready({"a1", "b1"});
  const LeaseId silent = hold("a1", {0}), busy = hold("b1", {1});
  EXPECT_TRUE(expire().empty());
  EXPECT_EQ(effects.wake_at, now + Lease::kWithoutProgress);
  now += Lease::kWithoutProgress;
  leases.renew(busy, now + milliseconds(1));
  const auto expired = expire();
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].lease.machine, "a1");
  EXPECT_TRUE(expired[0].stood);
  EXPECT_EQ(counted(Count::What::kLeaseExpired), std::vector<std::string>{"no_progress"});
  EXPECT_EQ(read(effects).stopped, (std::map<LeaseId, std::string>{{silent, "a1"}}));
  EXPECT_EQ(leases.find(silent), nullptr);
  EXPECT_NE(leases.find(busy), nullptr);
  EXPECT_TRUE(leasing.has_changed()) << "it goes to others";
}

TEST_F(LeasingTest, ALeaseEndsWhenItTakesTooLongWhateverProgressThereIs) {
  ready({"a1"});
  const LeaseId lease = hold("a1", {0});
  now += seconds(599);
  leases.renew(lease, now + Lease::kWithoutProgress);
  EXPECT_TRUE(expire().empty());
  now += seconds(1);
  const auto expired = expire();
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_FALSE(expired[0].stood);
  EXPECT_EQ(counted(Count::What::kLeaseExpired), std::vector<std::string>{"too_slow"});
}

TEST_F(LeasingTest, HowLongIsTooLongMayOnlyBeKnownSinceOthersWereMeasured) {
  ready({"a1", "b1"});
  const LeaseId lease = hold("a1", {0});
  leases.renew(lease, now + seconds(3600));
  now += seconds(100);
  EXPECT_TRUE(expire().empty());
  measure("b1", 20);  // So a1 should do 5, and has five times the 20 s it should take.
  EXPECT_EQ(expire().size(), 1u);
}

// ---- Leases from before.

TEST_F(LeasingTest, ALeaseFromBeforeGoesOnWithWhatIsStillToBeDone) {
  arrive({"a1"});
  settle(0);
  EXPECT_TRUE(adopt({2, 9}, "a1", {0, 1, 7}, {0, 1, 7}).empty());
  const Lease* lease = leases.find({2, 9});
  ASSERT_NE(lease, nullptr);
  EXPECT_EQ(lease->items, Indices{1}) << "0 is settled; there is no 7";
  EXPECT_EQ(lease->machine, "a1");
  EXPECT_EQ(lease->bytes, 100u);
  EXPECT_EQ(lease->deadline, now + Lease::kWithoutProgress);
  EXPECT_EQ(lease->latest, machines.latest_end(now, "a1", 100));
  machines.on_ready("a1", "A");
  now += seconds(1);
  vote(1, "a1");
  leasing.close_answered(now, "a1");
  EXPECT_EQ(leases.find({2, 9}), nullptr);
  EXPECT_EQ(machines.find("a1")->bytes_per_second, 0) << "it began before";
}

TEST_F(LeasingTest, OfALeaseFromBeforeNothingIsLeftThatIsAnsweredOrNotHeld) {
  arrive({"a1"});
  vote(0, "a1");
  EXPECT_EQ(adopt({2, 9}, "a1", {0, 1}, {0}), (std::map<LeaseId, std::string>{{{2, 9}, "a1"}}))
      << "then it is told to stop";
  EXPECT_EQ(adopt({2, 9}, "a1", {0}, {0, 1}).size(), 1u) << "nobody asked it for 1";
  EXPECT_TRUE(leases.empty());
}

}  // namespace
}  // namespace muster::roles::coordinator
