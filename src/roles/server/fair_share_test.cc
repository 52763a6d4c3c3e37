#include "roles/server/fair_share.h"

#include <gtest/gtest.h>

#include "roles/server/lending.h"
#include "roles/server/pool_for_test.h"

namespace muster::roles::server {
namespace {

// Machines "a" to "f"; jobs are of the researcher that their first letter names.
class FairShareTest : public testing::Test {
 protected:
  FairShareTest() {
    for (const char* machine : {"a", "b", "c", "d", "e", "f"}) pool_.join(machine);
  }
  void job(const std::string& id, uint32_t wants) {
    pool_.commit(id, [&](pb::JobRow& row) { row.set_researcher(id.substr(0, 1)); });
    pool_.want(id, wants);
  }
  void lend(const std::string& machines, const std::string& job) {
    for (const char machine : machines) pool_.loans.lend(std::string(1, machine), job);
  }
  void lend_next() {
    for (const auto& [machine, job] : next_loans(pool_.situation(), true)) {
      pool_.loans.lend(machine, job);
    }
  }
  // "j1:ab k1:c", what is to be given back.
  std::string recalled() {
    std::string out;
    for (const auto& [job, machines] : recalls(pool_.situation())) {
      out += (out.empty() ? "" : " ") + job + ":";
      for (const std::string& machine : machines) out += machine;
      (void)pool_.loans.recall(job, machines);
    }
    return out;
  }
  size_t lent(const std::string& job) { return pool_.loans.lent(job).size(); }

  PoolForTest pool_;
};

TEST_F(FairShareTest, FreeMachinesGoToWhoeverHasTheFewestHoweverManyJobsHeHas) {
  job("j1", 9);
  job("j2", 9);
  job("k1", 9);
  lend_next();
  EXPECT_EQ(lent("k1"), 3u);
  EXPECT_EQ(lent("j1") + lent("j2"), 3u);
  EXPECT_EQ(recalled(), "") << "they are even";
}

TEST_F(FairShareTest, WhoComesLaterGetsHisShareBack) {
  job("j1", 9);
  lend_next();
  EXPECT_EQ(recalled(), "") << "nobody else wants any";
  job("k1", 9);
  EXPECT_EQ(recalled(), "j1:def") << "the half";
  job("l1", 9);
  EXPECT_EQ(recalled(), "j1:cdef") << "two thirds, the same ones among them";
}

TEST_F(FairShareTest, NoMoreThanHisJobsCanUse) {
  job("j1", 9);
  lend_next();
  job("k1", 1);
  EXPECT_EQ(recalled(), "j1:f");
  pool_.want("k1", 1, {"f"});
  EXPECT_EQ(recalled(), "j1:e") << "of what they can use";
  pool_.want("k1", 1, {"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(recalled(), "") << "none is of use";
  pool_.want("k1", 0);
  EXPECT_EQ(recalled(), "");
}

TEST_F(FairShareTest, WhatOneDoesNotUseTheOthersShare) {
  job("j1", 9);
  job("k1", 1);
  job("l1", 9);
  lend_next();
  EXPECT_EQ(lent("k1"), 1u);
  EXPECT_EQ(lent("j1") + lent("l1"), 5u);
  EXPECT_EQ(recalled(), "") << "one more or less is no reason";
}

TEST_F(FairShareTest, AJobWithoutACoordinatorWantsNone) {
  job("j1", 9);
  lend_next();
  pool_.commit("k1", [](pb::JobRow& row) {
    row.set_researcher("k");
    row.clear_coordinator();
  });
  pool_.want("k1", 9);
  EXPECT_EQ(recalled(), "");
}

TEST_F(FairShareTest, JobsOfOneResearcherTakeNothingFromOneAnother) {
  job("j1", 9);
  lend_next();
  job("j2", 9);
  EXPECT_EQ(recalled(), "");
}

TEST_F(FairShareTest, OfHisJobsTheOneThatHasTheMostGivesBack) {
  job("j1", 9);
  job("j2", 9);
  lend("abcd", "j1");
  lend("ef", "j2");
  job("k1", 1);
  EXPECT_EQ(recalled(), "j1:d");
}

TEST_F(FairShareTest, ItEndsWhenThePoolIsEvenWhateverIsGivenBack) {
  job("j1", 9);
  lend_next();
  job("k1", 9);
  for (int round = 0; round < 9; ++round) {
    const auto to_give = recalls(pool_.situation());
    for (const auto& [job, machines] : to_give) {
      for (const std::string& machine : machines) (void)pool_.loans.take_back(machine);
    }
    lend_next();
    EXPECT_TRUE(round == 0 || to_give.empty()) << "nothing goes back and forth";
  }
  EXPECT_EQ(lent("j1"), 3u);
  EXPECT_EQ(lent("k1"), 3u);
}

TEST_F(FairShareTest, ItsCoordinatorIsTold) {
  job("j1", 9);
  lend_next();
  job("k1", 1);
  EXPECT_EQ(recalled(), "j1:f");
  const auto said = lend_message(pool_.situation(), pool_.jobs.at("j1").row);
  ASSERT_EQ(said.retiring_size(), 1);
  EXPECT_EQ(said.retiring(0), "f");
  EXPECT_EQ(lend_message(pool_.situation(), pool_.jobs.at("k1").row).retiring_size(), 0);
}

}  // namespace
}  // namespace muster::roles::server
