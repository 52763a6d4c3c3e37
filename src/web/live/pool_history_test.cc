#include "web/live/pool_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::web {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000'000;

class PoolHistoryTest : public testing::Test {
 protected:
  pb::Machine& add(const std::string& id, const std::string& state = "idle") {
    pb::Machine& machine = *status_.add_machines();
    machine.set_machine(id);
    machine.set_state(state);
    return machine;
  }
  pb::JobRow& add_job(const std::string& id, int64_t settled, int64_t total = 1000) {
    pb::JobRow& row = *status_.add_jobs();
    row.set_job(id);
    row.set_run(1);
    row.set_coordinator("c");
    row.set_settled_items(settled);
    row.set_total_items(total);
    return row;
  }
  PoolHistory::Changes look(int64_t after_ms) {
    auto changes = history_.note(kStart + after_ms, status_);
    status_.Clear();
    return changes;
  }
  const MachineNow& machine(const std::string& id) const { return history_.now().machines.at(id); }

  pb::PoolStatus status_;
  PoolHistory history_;
};

TEST_F(PoolHistoryTest, WhoComesKeepsHisPlaceThoughHeGoes) {
  add("b");
  add("a");
  EXPECT_THAT(look(0).machines, ElementsAre("a", "b"));
  add("b");
  EXPECT_THAT(look(2000).machines, ElementsAre("a"));
  EXPECT_EQ(machine("a").state, MachineState::kAway);
  EXPECT_EQ(machine("a").since_ms, kStart + 2000);
  add("c");
  add("a");
  add("b");
  EXPECT_THAT(look(4000).machines, ElementsAre("a", "c"));
  EXPECT_EQ(machine("a").number, 1);
  EXPECT_EQ(machine("b").number, 2);
  EXPECT_EQ(machine("c").number, 3);
  EXPECT_EQ(machine("b").since_ms, kStart);
}

TEST_F(PoolHistoryTest, AMachineIsInOneState) {
  status_.mutable_view()->add_members()->set_machine("stores");
  status_.mutable_view()->add_members()->set_machine("does both");
  add("stores");
  add("does both").set_job("j");
  add("computes").set_job("j");
  add("coordinates").set_role_flag(pb::ROLE_FLAG_COORDINATOR);
  add("outvoted").set_quarantined(true);
  add("away", "away").set_quarantined(true);
  add("removed", "removed");
  add("idle");
  look(0);
  EXPECT_EQ(machine("stores").state, MachineState::kStoring);
  EXPECT_EQ(machine("does both").state, MachineState::kComputing);
  EXPECT_EQ(machine("computes").state, MachineState::kComputing);
  EXPECT_EQ(machine("coordinates").state, MachineState::kCoordinating);
  EXPECT_EQ(machine("outvoted").state, MachineState::kQuarantined);
  EXPECT_EQ(machine("away").state, MachineState::kAway);
  EXPECT_EQ(machine("removed").state, MachineState::kRemoved);
  EXPECT_EQ(machine("idle").state, MachineState::kIdle);
}

TEST_F(PoolHistoryTest, TellsOnlyWhatHasChanged) {
  add("a");
  add_job("j", 10);
  look(0);
  add("a");
  add_job("j", 10);
  auto changes = look(2000);
  EXPECT_THAT(changes.machines, IsEmpty());
  EXPECT_THAT(changes.jobs, IsEmpty());
  add("a").set_reason("cannot store: the disk is full");
  add_job("j", 11);
  changes = look(4000);
  EXPECT_THAT(changes.machines, ElementsAre("a"));
  EXPECT_THAT(changes.jobs, ElementsAre("j"));
  EXPECT_THAT(look(6000).over, ElementsAre("j"));
}

TEST_F(PoolHistoryTest, CountsWhoWorksForAJob) {
  add("a").set_job("j");
  add("b").set_job("j");
  add("c").set_job("k");
  add_job("j", 0);
  add_job("k", 0);
  look(0);
  EXPECT_EQ(history_.now().jobs.at("j").machines, 2);
  EXPECT_EQ(history_.now().jobs.at("k").machines, 1);
}

TEST_F(PoolHistoryTest, WhatWasSettledBeforeIsNoSpeed) {
  add_job("j", 500);
  look(0);
  EXPECT_EQ(history_.now().items_per_s, 0);
  add_job("j", 520);
  look(2000);
  EXPECT_THAT(history_.now().items_per_s, DoubleNear(10, 1e-9));
  EXPECT_THAT(history_.now().jobs.at("j").items_per_s, DoubleNear(10, 1e-9));
}

TEST_F(PoolHistoryTest, ASpeedIsThatOfTheLastMinute) {
  for (int second = 0; second <= 120; second += 2) {
    add_job("j", second < 60 ? second * 10 : 600 + (second - 60) * 2);
    look(second * 1000);
  }
  EXPECT_THAT(history_.now().items_per_s, DoubleNear(2, 1e-9));
  EXPECT_THAT(history_.now().jobs.at("j").items_per_s, DoubleNear(2, 1e-9));
  const auto& rates = history_.now().rates;
  ASSERT_EQ(rates.size(), 24);
  EXPECT_THAT(rates.back(), DoubleNear(2, 0.5));
  EXPECT_THAT(rates.front(), DoubleNear(10, 2.1));
}

TEST_F(PoolHistoryTest, TheLastItemsOfARunCountToo) {
  add_job("j", 0);
  look(0);
  EXPECT_THAT(look(2000).over, ElementsAre("j"));
  pb::JobRow row;
  row.set_job("j");
  row.set_run(1);
  row.set_settled_items(40);
  history_.note_end(row);
  look(4000);
  EXPECT_THAT(history_.now().items_per_s, DoubleNear(10, 1e-9));
}

TEST_F(PoolHistoryTest, AnotherRunBeginsAnew) {
  add_job("j", 100);
  look(0);
  add_job("j", 4).set_run(2);
  EXPECT_THAT(look(2000).jobs, ElementsAre("j"));
  EXPECT_EQ(history_.now().items_per_s, 0);
}

TEST_F(PoolHistoryTest, AClockThatGoesBackStandsStill) {
  add_job("j", 0);
  look(10'000);
  add_job("j", 5);
  look(4000);
  EXPECT_EQ(history_.now().at_ms, kStart + 10'000);
}

}  // namespace
}  // namespace muster::web
