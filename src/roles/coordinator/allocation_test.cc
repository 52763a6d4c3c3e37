#include "roles/coordinator/allocation.h"

#include <algorithm>

#include "roles/coordinator/situation_stage.h"

namespace muster::roles::coordinator {
namespace {

using Indices = std::vector<uint32_t>;
using Names = std::vector<std::string>;

class AllocationTest : public SituationStage {
 protected:
  using SituationStage::SituationStage;

  size_t places(const std::string& machine, uint32_t index = 0) {
    return coordinator::places(situation(), machine, items[index]);
  }
  // The items of a list that the machine would get; none: it would get no list.
  Indices shard(const std::string& machine, uint64_t seed = 1) {
    Rng rng(seed);
    const auto lease = next_shard(situation(), machine, now, rng);
    return lease ? lease->items : Indices{};
  }
  std::optional<LeaseId> to_copy(const std::string& machine) {
    return lease_to_copy(situation(), machine);
  }
  bool is_useful(const std::string& machine) {
    return coordinator::is_useful(situation(), machine);
  }
  size_t wanted() { return machines_wanted(situation(), now); }
  Names released() { return coordinator::released(situation(), now); }
};

// ---- Places.

TEST_F(AllocationTest, TheLastPlaceIsKeptForAMachineWhoseAnswerCanGiveTheValue) {
  ready({"a1", "a2"});
  ready({"b1"}, "B");
  EXPECT_EQ(places("a1"), 2u);
  EXPECT_EQ(places("b1"), 1u);
  const LeaseId reference = hold("a2", {0});
  EXPECT_EQ(places("b1"), 2u) << "somebody who can give it is at it";
  (void)leases.end(reference);
  hold("b1", {0});
  EXPECT_EQ(places("b1"), 1u) << "who is at it cannot";
  vote(0, "a2");
  EXPECT_EQ(places("b1"), 1u) << "the value is there; one more agrees with it";
}

TEST_F(AllocationTest, WhereAVoterIsDrawnOnlyHeHasAPlace) {
  ready({"a1", "b1", "c1"});
  vote(0, "a1", -3);
  vote(0, "b1", -5);
  EXPECT_EQ(places("c1"), 0u) << "nobody is drawn yet";
  items.choose(0, "c1", now);
  EXPECT_EQ(places("c1"), 1u);
  EXPECT_EQ(places("a1"), 0u);
  hold("b1", {0});
  EXPECT_EQ(places("c1"), 2u) << "whoever else is still at it";
  EXPECT_EQ(places("c1", 1), 2u) << "nobody is drawn for another item";
}

class AdaptiveAllocationTest : public AllocationTest {
 protected:
  AdaptiveAllocationTest() : AllocationTest({.items = 100, .adaptive = true}) {}
};

TEST_F(AdaptiveAllocationTest, WhoMayAnswerAloneIsLeftAloneBeItACheck) {
  ready({"a1", "c1"});
  ready({"b1"}, "B");
  trust("a1");
  trust("b1");
  Indices all(items.size());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  hold("b1", all);
  EXPECT_EQ(places("c1"), 2u) << "of a class that gives no values";
  hold("a1", all);
  ASSERT_TRUE(std::any_of(items.begin(), items.end(), [](auto& item) { return item.is_check; }));
  for (uint32_t i : all) EXPECT_EQ(places("c1", i), 0u) << i;
  const Situation others{items, leases, machines, owners, standings, false};
  EXPECT_EQ(coordinator::places(others, "c1", items[0]), 2u) << "--redundancy 2";
  vote(0, "d1", -3);
  vote(0, "e1", -5);
  items.choose(0, "c1", now);
  EXPECT_GT(places("c1"), 0u) << "answers do not agree";
}

TEST_F(AdaptiveAllocationTest, WhoIsNotTrustedIsNotLeftAlone) {
  ready({"a1", "c1"});
  hold("a1", {0});
  EXPECT_EQ(places("c1"), 2u);
}

// ---- Lists of items.

TEST_F(AllocationTest, AListBeginsAtAnItemThatIsDrawnByLot) {
  ready({"a1"});
  std::set<Indices> lists;
  for (uint64_t seed = 0; seed < 100; ++seed) lists.insert(shard("a1", seed));
  EXPECT_EQ(lists, (std::set<Indices>{{0}, {1}, {2}, {3}})) << "one each: it was not measured";
  measure("a1", 1 << 20);
  lists.clear();
  for (uint64_t seed = 0; seed < 100; ++seed) lists.insert(shard("a1", seed));
  EXPECT_EQ(lists, (std::set<Indices>{{0, 1, 2, 3}, {1, 2, 3, 0}, {2, 3, 0, 1}, {3, 0, 1, 2}}));
}

TEST_F(AllocationTest, AListIsALeaseOfTheMachineThatBeginsNow) {
  ready({"a1"});
  measure("a1", 10);
  Rng rng(1);
  const auto lease = next_shard(situation(), "a1", now, rng);
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->machine, "a1");
  EXPECT_EQ(lease->bytes, 100u);
  EXPECT_EQ(lease->granted, now);
  EXPECT_EQ(lease->deadline, now + Lease::kWithoutProgress);
  EXPECT_EQ(lease->latest, machines.latest_end(now, "a1", 100));
  EXPECT_FALSE(lease->is_copy);
  EXPECT_TRUE(lease->is_measured);
}

TEST_F(AllocationTest, TheLastWorkIsSpreadOverAllMachines) {
  ready({"a1", "b1"});
  measure("a1", 1 << 20);
  EXPECT_EQ(shard("a1").size(), 2u) << "eight votes, two machines";
  ready({"c1", "d1"});
  EXPECT_EQ(shard("a1").size(), 1u);
  ready({"e1", "f1", "g1", "h1", "i1"});
  EXPECT_EQ(shard("a1").size(), 1u) << "one at least";
}

TEST_F(AllocationTest, AListHasNothingThatTheMachineMayNotVoteOnOrThatOthersAreEnoughFor) {
  ready({"a1", "b1", "c1"});
  measure("a1", 1 << 20);
  vote(0, "a1");
  hold("b1", {1, 2});
  hold("c1", {1});
  EXPECT_EQ(shard("a1", 1).size(), 1u);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint32_t i : shard("a1", seed)) EXPECT_TRUE(i == 2 || i == 3) << i;
  }
  votes(2, {"a1"});
  votes(3, {"a1"});
  EXPECT_EQ(shard("a1"), Indices{}) << "there is none for it";
}

TEST_F(AllocationTest, AListBeginsWithWhatTheMachineWasDrawnFor) {
  ready({"a1", "b1", "c1"});
  measure("c1", 1 << 20);
  vote(2, "a1", -3);
  vote(2, "b1", -5);
  items.choose(2, "c1", now);
  machines.leave("a1");
  machines.leave("b1");
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Indices list = shard("c1", seed);
    EXPECT_EQ(list.size(), 3u);
    EXPECT_EQ(list.front(), 2u);
    EXPECT_EQ(std::count(list.begin(), list.end(), 2u), 1);
  }
  items.choose(2, "d1", now);
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_NE(shard("c1", seed).front(), 2u);
}

TEST_F(AllocationTest, AnItemThatHasFailedIsTriedAlone) {
  ready({"a1"});
  measure("a1", 1 << 20);
  items.fail(2, "b1", 1, "crashed");
  items.choose(2, "a1", now);
  for (uint64_t seed = 0; seed < 20; ++seed) EXPECT_EQ(shard("a1", seed), Indices{2});
}

TEST_F(AllocationTest, NorIsItBehindAnotherThatTheMachineWasDrawnFor) {
  ready({"a1", "b1", "c1"});
  measure("c1", 1 << 20);
  vote(1, "a1", -3);
  vote(1, "b1", -5);
  items.fail(2, "b1", 1, "crashed");
  items.choose(1, "c1", now);
  items.choose(2, "c1", now);
  machines.leave("a1");
  machines.leave("b1");
  EXPECT_EQ(shard("c1"), Indices{1});
}

class ManyItemsTest : public AllocationTest {
 protected:
  ManyItemsTest() : AllocationTest({.items = 400}) {}
};

TEST_F(ManyItemsTest, AListIsTenSecondsOfWorkOrOneItemAtLeastAndSixtyFourAtMost) {
  ready({"a1"});
  struct Case {
    size_t bytes_per_second, items;
  };
  for (const Case& c : {Case{1, 1}, {10, 1}, {19, 1}, {20, 2}, {100, 10}, {640, 64}, {9999, 64}}) {
    measure("a1", c.bytes_per_second);
    EXPECT_EQ(shard("a1").size(), c.items) << c.bytes_per_second << " bytes a second";
  }
}

class LargeItemsTest : public AllocationTest {
 protected:
  LargeItemsTest() : AllocationTest({.items = 50, .bytes = 100u << 10}) {}
};

TEST_F(LargeItemsTest, AListHasRoomFor256KiB) {
  ready({"a1"});
  measure("a1", 1 << 30);
  EXPECT_EQ(shard("a1").size(), 2u);
}

// ---- Copies.

TEST_F(AllocationTest, TheOldestLeaseIsCopiedOneCopyEach) {
  ready({"a1", "b1", "c1", "d1"});
  now += seconds(2);
  const LeaseId young = hold("a1", {0});
  now -= seconds(1);
  const LeaseId old = hold("b1", {1});
  now += seconds(9);
  EXPECT_EQ(to_copy("c1"), old);
  const LeaseId copy = leases.add(*copy_of(situation(), *leases.find(old), "c1", now));
  leases.note_copy(old, copy);
  EXPECT_EQ(to_copy("d1"), young) << "nor is the copy copied";
  vote(0, "a1");
  EXPECT_EQ(to_copy("a1"), std::nullopt) << "that one is its own";
  (void)leases.end(copy);
  EXPECT_EQ(to_copy("d1"), old) << "the copy came to nothing";
}

TEST_F(AllocationTest, NothingIsCopiedByWhoHasHeldAnsweredOrFailedIt) {
  ready({"a1", "b1", "c1", "d1", "e1", "f1"});
  const LeaseId lease = hold("a1", {0, 1});
  hold("b1", {1});
  vote(1, "c1");
  items.fail(1, "d1", 0, "in a list");
  set_distinct_owners();
  ready({"a2"});
  EXPECT_EQ(to_copy("b1"), std::nullopt) << "it is at one of them";
  EXPECT_EQ(to_copy("c1"), std::nullopt) << "it has answered one";
  EXPECT_EQ(to_copy("d1"), std::nullopt) << "it has failed on one";
  EXPECT_EQ(to_copy("a2"), std::nullopt) << "it is of the same owner";
  EXPECT_EQ(to_copy("e1"), lease);
}

TEST_F(AllocationTest, ALeaseWithADisputedItemIsNotCopied) {
  ready({"a1", "d1"});
  hold("a1", {0, 1});
  vote(1, "b1", -3);
  vote(1, "c1", -5);
  EXPECT_EQ(to_copy("d1"), std::nullopt) << "who votes on it is drawn";
}

TEST_F(AllocationTest, WhatIsAnsweredOrWantedNoMoreIsNotLookedAt) {
  ready({"a1", "b1"});
  const LeaseId lease = hold("a1", {0, 1, 2});
  votes(0, {"b1", "c1"});  // Enough: it is to be settled.
  vote(1, "a1");
  items.fail(1, "b1", 0, "in a list");
  EXPECT_EQ(to_copy("b1"), lease);
  const auto copy = copy_of(situation(), *leases.find(lease), "b1", now);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->items, Indices{2});
}

// With --redundancy auto the slow holder of a provisional item keeps its lease, and nothing of that
// is wanted any more.
TEST_F(AllocationTest, ALeaseOfWhichNothingIsLeftHidesNoYoungerOne) {
  ready({"a1", "b1", "c1", "d1"});
  hold("a1", {0});
  vote(0, "b1");
  vote(0, "d1");
  EXPECT_EQ(items[0].needed, 0u);
  now += seconds(1);
  const LeaseId young = hold("c1", {1});
  EXPECT_EQ(lease_to_copy(situation(), "d1"), young);
}

TEST_F(AllocationTest, ACopyIsOfWhatTheMachineHasNotAnsweredYet) {
  ready({"a1", "b1"});
  measure("b1", 10);
  const LeaseId lease = hold("a1", {0, 1, 2});
  vote(1, "a1");
  now += seconds(5);
  const auto copy = copy_of(situation(), *leases.find(lease), "b1", now);
  ASSERT_TRUE(copy);
  EXPECT_EQ(copy->machine, "b1");
  EXPECT_EQ(copy->items, (Indices{0, 2}));
  EXPECT_EQ(copy->bytes, 200u);
  EXPECT_EQ(copy->granted, now);
  EXPECT_EQ(copy->latest, machines.latest_end(now, "b1", 200));
  EXPECT_TRUE(copy->is_copy);
  votes(0, {"a1"});
  votes(2, {"a1"});
  EXPECT_FALSE(copy_of(situation(), *leases.find(lease), "b1", now)) << "all is";
}

// ---- How many machines, and whose work is over.

class OneItemTest : public AllocationTest {
 protected:
  OneItemTest() : AllocationTest({.items = 1}) {}
};

TEST_F(OneItemTest, AMachineIsUsefulWhileItMayVoteOrHoldsALease) {
  ready({"a1", "b1"});
  EXPECT_TRUE(is_useful("a1"));
  const LeaseId lease = hold("a1", {0});
  EXPECT_TRUE(is_useful("a1")) << "it is at it";
  vote(0, "a1");
  EXPECT_TRUE(is_useful("a1")) << "its lease is open";
  (void)leases.end(lease);
  EXPECT_FALSE(is_useful("a1"));
  EXPECT_TRUE(is_useful("b1"));
}

TEST_F(AllocationTest, OneMachineIsWantedForEachVoteEachLeaseAndEachThatIsLongGettingReady) {
  ready({"a1", "b1"});
  EXPECT_EQ(wanted(), 8u);
  votes(0, {"a1", "b1"});
  EXPECT_EQ(wanted(), 6u);
  const LeaseId lease = hold("a1", {1});
  EXPECT_EQ(wanted(), 7u) << "an idle one could copy it";
  leases.note_copy(lease, leases.add(*copy_of(situation(), *leases.find(lease), "b1", now)));
  EXPECT_EQ(wanted(), 7u) << "but not the copy";
  arrive({"c1"});
  for (int second = 0; second < 60; ++second) {
    EXPECT_EQ(wanted(), 7u);
    (void)machines.overdue(now);
    now += seconds(1);
  }
  EXPECT_EQ(wanted(), 8u) << "c1 does not count";
}

TEST_F(OneItemTest, WhoHasVotedOnAllThatIsLeftIsReleasedBeItGone) {
  ready({"a1", "b1", "c1"});
  EXPECT_EQ(released(), Names{});
  votes(0, {"a1"});
  machines.leave("a1");
  EXPECT_EQ(released(), Names{"a1"});
  votes(0, {"b1"});
  EXPECT_EQ(released(), (Names{"a1", "b1", "c1"})) << "nothing is left";
}

TEST_F(AllocationTest, WhoCannotServeIsReleasedUntilItIsAskedAgain) {
  ready({"a1", "b1"});
  give_back("a1");
  EXPECT_EQ(released(), Names{"a1"});
  now += seconds(10);
  EXPECT_EQ(released(), Names{});
}

TEST_F(AllocationTest, WhoRetiresIsReleasedWhenItHoldsNoLease) {
  ready({"a1", "b1"});
  hear(0, "a1");
  const LeaseId lease = hold("a1", {0});
  EXPECT_EQ(released(), Names{});
  (void)leases.end(lease);
  EXPECT_EQ(released(), Names{"a1"});
  machines.leave("a1");
  EXPECT_EQ(released(), Names{}) << "it is not here";
}

}  // namespace
}  // namespace muster::roles::coordinator
