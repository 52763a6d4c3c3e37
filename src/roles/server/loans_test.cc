#include "roles/server/loans.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};
using Names = std::vector<std::string>;
using Set = std::set<std::string>;

pb::WantWorkers want_of(uint32_t count, const Names& released = {}) {
  pb::WantWorkers want;
  want.set_count(count);
  for (const std::string& machine : released) want.add_released(machine);
  return want;
}

class LoansTest : public testing::Test {
 protected:
  LoansTest() {
    for (const char* machine : {"a", "b", "c"}) loans_.join(machine, true);
  }
  ~LoansTest() override { loans_.check(); }

  Loans loans_;
};

TEST_F(LoansTest, AMachineIsLentToOneJob) {
  loans_.lend("a", "j");
  loans_.lend("c", "j");
  loans_.lend("b", "k");
  loans_.check();
  EXPECT_EQ(loans_.lent("j"), (Set{"a", "c"}));
  EXPECT_EQ(loans_.job_of("b"), "k");
  EXPECT_EQ(loans_.size(), 3u);
  EXPECT_EQ(loans_.take_back("a"), "j");
  EXPECT_EQ(loans_.take_back("a"), "");
  EXPECT_EQ(loans_.take_back("nobody"), "");
  EXPECT_EQ(loans_.lent("j"), Set{"c"});
  EXPECT_EQ(loans_.job_of("nobody"), "");
  EXPECT_EQ(loans_.lent("no job"), Set{});
}

TEST_F(LoansTest, AWorkerIsKnownOnceItHasSaidWhatItHolds) {
  loans_.join("d", false);
  EXPECT_FALSE(loans_.is_known("d"));
  EXPECT_FALSE(loans_.is_known("nobody"));
  loans_.set_known("d");
  EXPECT_TRUE(loans_.is_known("d"));
  loans_.join("d", false);
  EXPECT_FALSE(loans_.is_known("d")) << "on another line it says so again";
}

TEST_F(LoansTest, WhoseLineClosedMayGoOnForAWhile) {
  loans_.lend("a", "j");
  EXPECT_EQ(loans_.leave(kStart, "a"), "j");
  EXPECT_EQ(loans_.leave(kStart, "b"), "");
  EXPECT_EQ(loans_.lent("j"), Set{});
  loans_.check();
  const Instant almost = kStart + Loans::kLentFor - seconds(1);
  EXPECT_TRUE(loans_.may_go_on(almost, "a", "j"));
  EXPECT_FALSE(loans_.may_go_on(almost, "a", "k"));
  EXPECT_FALSE(loans_.may_go_on(almost, "b", "j"));
  EXPECT_FALSE(loans_.may_go_on(kStart + Loans::kLentFor, "a", "j"));
  loans_.begin_run("j");
  EXPECT_FALSE(loans_.may_go_on(almost, "a", "j")) << "that was another run";
}

TEST_F(LoansTest, AJobGivesBackWhatItCannotUse) {
  loans_.want("j", want_of(3));
  for (const char* machine : {"a", "b"}) loans_.lend(machine, "j");
  EXPECT_EQ(loans_.want("j", want_of(1, {"c", "b"})), Names{"b"});
  loans_.check();
  EXPECT_EQ(loans_.lent("j"), Set{"a"});
  EXPECT_EQ(loans_.wants("j"), 1u);
  EXPECT_TRUE(loans_.has_released("j", "c"));
  EXPECT_FALSE(loans_.has_released("k", "c"));
  EXPECT_EQ(loans_.want("j", want_of(1)), Names{});
  EXPECT_FALSE(loans_.has_released("j", "c")) << "it says all of them each time";
}

TEST_F(LoansTest, WhatIsWantedChangesSomethingIfItIsNews) {
  EXPECT_TRUE(loans_.take_changed()) << "at the start nothing has been looked at";
  EXPECT_FALSE(loans_.take_changed());
  loans_.want("j", want_of(2, {"a"}));
  EXPECT_TRUE(loans_.take_changed());
  loans_.want("j", want_of(2, {"a"}));
  EXPECT_FALSE(loans_.take_changed());
  loans_.want("j", want_of(2));
  EXPECT_TRUE(loans_.take_changed());
  loans_.want("j", want_of(1));
  EXPECT_TRUE(loans_.take_changed());
  loans_.note_change();
  EXPECT_TRUE(loans_.take_changed());
}

TEST_F(LoansTest, AtItsEndAJobHasNothing) {
  loans_.want("j", want_of(3, {"c"}));
  for (const char* machine : {"b", "a"}) loans_.lend(machine, "j");
  EXPECT_EQ(loans_.end_run("j"), (Names{"a", "b"}));
  EXPECT_EQ(loans_.wants("j"), 0u);
  EXPECT_FALSE(loans_.has_released("j", "c"));
  EXPECT_EQ(loans_.job_of("a"), "");
  EXPECT_TRUE(loans_.is_known("a"));
}

TEST_F(LoansTest, ACoordinatorIsToldOnceInAWhile) {
  EXPECT_TRUE(loans_.is_due(kStart, "j"));
  loans_.note_told(kStart, "j");
  EXPECT_FALSE(loans_.is_due(kStart + kRepeatEvery - milliseconds(1), "j"));
  EXPECT_TRUE(loans_.is_due(kStart + kRepeatEvery, "j"));
  loans_.tell_soon("j");
  EXPECT_TRUE(loans_.is_due(kStart, "j"));
}

TEST_F(LoansTest, ACoordinatorThatIsLostKeepsTheJobsMachines) {
  loans_.want("j", want_of(2));
  loans_.lend("a", "j");
  loans_.stop_wanting("j");
  EXPECT_EQ(loans_.wants("j"), 0u);
  EXPECT_EQ(loans_.lent("j"), Set{"a"});
}

}  // namespace
}  // namespace muster::roles::server
