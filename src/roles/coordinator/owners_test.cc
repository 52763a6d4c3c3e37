#include "roles/coordinator/owners.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

using Names = std::set<std::string>;

class OwnersTest : public ::testing::Test {
 protected:
  OwnersTest() {
    pb::Lend lend;
    for (const char* name : {"a1", "a2", "b1"}) {
      lend.add_loans()->set_machine(name);
      lend.mutable_loans()->rbegin()->set_owner(std::string(1, name[0]));
    }
    (void)machines.arrive(now, lend, effects);
    owners.set_many(true);
    owners.on_vote(now);
    freeze();
    (void)look();
  }

  void freeze() {
    auto tasks = std::make_shared<FrozenTasks>();
    tasks->push_back({.task = "task"});
    tasks->back().items.emplace_back().requests.push_back({"text", " yes"});
    Rng rng(1);
    items.freeze(tasks, rng);
    items.set_classes({"A"});
  }
  void vote(const std::string& machine, const std::string& owner) {
    pb::Response response;
    (void)items.vote(0, {machine, owner, sha256(machine), "A", {response}});
  }
  bool look() { return owners.look(now, machines, leases, true, effects); }

  Instant now = Instant() + seconds(100);
  Effects effects;
  Machines machines{1};
  Leases leases{1};
  Items items{2, [](const Item&) { return 2; }};
  Owners owners;
};

TEST_F(OwnersTest, AreAbleWhoseMachinesAreHereAndCouldServe) {
  EXPECT_EQ(owners.able(), (Names{"a", "b"}));
  EXPECT_FALSE(look()) << "no news";
  machines.give_back(now, "b1", {Code::kNotFound, "no model"}, effects);
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), Names{"a"});
}

TEST_F(OwnersTest, WhoSitsOnALeaseIsNotWaitedForAnyMore) {
  (void)leases.add({.machine = "b1", .items = {0}, .granted = now});
  now += Owners::kPatience - milliseconds(1);
  owners.on_vote(now);
  EXPECT_FALSE(look());
  now += milliseconds(1);
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), Names{"a"});
}

TEST_F(OwnersTest, AMachineThatHasJustLeftMayReturn) {
  machines.leave("b1");
  owners.on_left(now, "b");
  EXPECT_FALSE(look());
  EXPECT_TRUE(owners.may_come("b"));
  now += Owners::kMayReturn;
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), Names{"a"});
  EXPECT_FALSE(owners.may_come("b"));
}

TEST_F(OwnersTest, OthersAreWaitedForWhileThereAreVotes) {
  owners.set_others({"c"});
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), (Names{"a", "b", "c"}));
  now += Owners::kPatience;
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), (Names{"a", "b"})) << "nobody has voted for so long";
  owners.on_arrival(now, "d");
  EXPECT_FALSE(look()) << "not one of those that were waited for";
  owners.on_arrival(now, "c");
  EXPECT_TRUE(look());
  EXPECT_EQ(owners.able(), (Names{"a", "b", "c"}));
}

TEST_F(OwnersTest, AfterANewLineNobodyKnowsWhoWillBeBack) {
  machines.on_line(now, false);
  EXPECT_TRUE(look());
  EXPECT_FALSE(owners.are_known());
  machines.on_line(now, true);
  now += kServerGrace;
  EXPECT_TRUE(look());
  EXPECT_TRUE(owners.are_known());
}

TEST_F(OwnersTest, OneOwnersVotesNeedNotBeDistinctWhereNobodyElseCanVoteOrHas) {
  EXPECT_TRUE(owners.must_be_distinct(items));
  machines.leave("b1");
  EXPECT_TRUE(look());
  EXPECT_FALSE(owners.must_be_distinct(items));
  vote("b1", "b");
  EXPECT_TRUE(owners.must_be_distinct(items));
  items.settle(0, {}, 2);
  EXPECT_FALSE(owners.must_be_distinct(items)) << "that is over";
  machines.on_line(now, false);
  EXPECT_TRUE(look());
  EXPECT_TRUE(owners.must_be_distinct(items)) << "somebody else may come";
}

TEST_F(OwnersTest, NeedNotBeDistinctInAPoolOfOne) {
  owners.set_many(false);
  EXPECT_TRUE(look());
  EXPECT_FALSE(owners.must_be_distinct(items));
}

}  // namespace
}  // namespace muster::roles::coordinator
