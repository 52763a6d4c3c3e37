#include "roles/server/listings.h"

#include <gtest/gtest.h>

#include "roles/server/pool_for_test.h"

namespace muster::roles::server {
namespace {

constexpr int64_t kNowMs = 5'000'000;

// Rows of 100 kB: nine have room.
const std::string kLong(100u << 10, 'x');

TEST(PoolState, IsWhatTheNodeIsToBe) {
  PoolForTest pool({"s"});
  for (const char* machine : {"s", "m"}) pool.join(machine);
  pool.join("coord", pb::ROLE_FLAG_COORDINATOR);
  pool.commit("j", [](pb::JobRow& row) { row.mutable_model()->set_name("ORG/NAME"); });
  pool.commit("over", [](pb::JobRow& row) {
    row.set_state(pb::JOB_STATE_DONE);
    row.set_ended_at_ms(kNowMs - 1000);
    row.set_frozen_digest("digest");
  });
  pool.loans.lend("m", "j");
  pb::PoolRow row;
  row.set_pool("the pool");
  row.add_coordinators("coord");
  const auto state_for = [&](const std::string& machine) {
    return pool_state(pool.situation(), row, machine, kNowMs);
  };
  const pb::PoolState worker = state_for("m");
  EXPECT_EQ(worker.pool(), "the pool");
  EXPECT_EQ(worker.view().members_size(), 1);
  ASSERT_EQ(worker.live_size(), 1);
  EXPECT_EQ(worker.live(0).job(), "j");
  EXPECT_EQ(worker.lent().job(), "j");
  EXPECT_EQ(worker.model().name(), "ORG/NAME");
  EXPECT_EQ(worker.coordinator(), "coord");
  EXPECT_TRUE(worker.lent_known());
  EXPECT_EQ(worker.kept_size(), 0) << "it keeps no records";
  EXPECT_EQ(worker.coordinators_size(), 0);
  const pb::PoolState store = state_for("s");
  ASSERT_EQ(store.kept_size(), 1);
  EXPECT_EQ(store.kept(0).job(), "over");
  EXPECT_FALSE(store.has_lent());
  EXPECT_EQ(state_for("coord").coordinators_size(), 1);
}

TEST(PoolState, SaysThatAStoreIsExcluded) {
  PoolForTest pool;
  pool.join("m");
  EXPECT_FALSE(pool_state(pool.situation(), {}, "m", kNowMs).excluded());
  pb::StoreState problem;
  problem.set_problem("no space");
  pool.nodes.note_store("m", problem);
  EXPECT_TRUE(pool_state(pool.situation(), {}, "m", kNowMs).excluded());
}

TEST(PoolState, NamesTheLatestOfWhatIsKeptAsFarAsThereIsRoom) {
  PoolForTest pool({"s"});
  pool.join("s");
  for (int i = 0; i < 12; ++i) {
    pool.commit("j" + std::to_string(10 + i), [&](pb::JobRow& row) {
      row.set_state(pb::JOB_STATE_DONE);
      row.set_ended_at_ms(kNowMs - 12 + i);
      row.set_frozen_digest("digest");
      row.add_assignments()->set_coordinator(kLong);
    });
  }
  const pb::PoolState state = pool_state(pool.situation(), {}, "s", kNowMs);
  ASSERT_EQ(state.kept_size(), 8);
  EXPECT_EQ(state.kept(0).job(), "j21");
  EXPECT_LE(state.ByteSizeLong(), kMostFound);
}

TEST(PoolStatus, CountsWhatItLeavesOut) {
  PoolForTest pool;
  pool.join("m");
  pool.join("n", pb::ROLE_FLAG_AUTO, "ann");
  for (int i = 0; i < 12; ++i) {
    pool.commit("j" + std::to_string(i), [](pb::JobRow& row) { row.set_reason(kLong); });
  }
  const pb::PoolStatus status = pool_status(pool.situation());
  EXPECT_EQ(status.jobs_size(), 8);
  EXPECT_EQ(status.machines_size(), 0) << "nothing comes after what had no room";
  EXPECT_EQ(status.left_out(), 6u);
  PoolForTest small;
  small.join("n", pb::ROLE_FLAG_AUTO, "ann");
  small.quarantine("n");
  const pb::PoolStatus all = pool_status(small.situation());
  ASSERT_EQ(all.machines_size(), 1);
  EXPECT_EQ(all.machines(0).state(), "quarantined");
  EXPECT_EQ(all.machines(0).owner(), "ann");
  EXPECT_TRUE(all.machines(0).quarantined());
  EXPECT_EQ(all.machines(0).strikes(), 3u);
  EXPECT_EQ(all.left_out(), 0u);
}

TEST(PoolStatus, SaysWhatAMachineIsLentToAndThatItLeaves) {
  PoolForTest pool;
  pool.join("m");
  pool.commit("j");
  pool.loans.lend("m", "j");
  pool.nodes.note_leaving("m");
  const pb::PoolStatus status = pool_status(pool.situation());
  EXPECT_EQ(status.machines(0).job(), "j");
  EXPECT_TRUE(status.machines(0).leaving());
}

TEST(CountAll, PutsEachMachineUnderOneState) {
  PoolForTest pool({"s", "t"});
  pool.join("coord", pb::ROLE_FLAG_COORDINATOR);
  for (const char* machine : {"s", "t", "m", "q", "i"}) pool.join(machine);
  pool.join("c", pb::ROLE_FLAG_COMPUTE);
  pool.quarantine("q");
  pool.commit("j");
  pool.commit("k", [](pb::JobRow& row) { row.clear_coordinator(); });
  for (const char* machine : {"m", "t", "c"}) pool.loans.lend(machine, "j");
  Gauges gauges;
  count_all(pool.situation(), gauges);
  using Machines = decltype(gauges.machines);
  EXPECT_EQ(gauges.machines, (Machines{{{"coordinator", "coordinator"}, 1},
                                       {{"auto", "storage"}, 1},
                                       {{"auto", "lent"}, 2},
                                       {{"auto", "quarantined"}, 1},
                                       {{"auto", "idle"}, 1},
                                       {{"compute", "lent"}, 1}}));
  EXPECT_EQ(gauges.jobs, (decltype(gauges.jobs){{"assigned", 1}, {"waiting", 1}}));
}

TEST(JobList, BeginsWithWhatWasAcceptedLast) {
  PoolForTest pool;
  for (int i = 0; i < 12; ++i) {
    pool.commit("j" + std::to_string(10 + i), [&](pb::JobRow& row) {
      row.set_accepted_at_ms(i);
      row.set_reason(kLong);
      if (i % 2 == 0) row.set_state(pb::JOB_STATE_DONE);
    });
  }
  pool.jobs.write({pool.jobs.at("j21").row, {}, {}, {}}, pool.effects);
  pb::JobRow begins;
  begins.set_job("new");
  pool.jobs.write({begins, {}, {}, {}}, pool.effects);
  pool.found.in_all = 100;
  pb::JobRow older = pool.jobs.at("j19").row;
  older.set_settled_items(-1);
  pool.found.rows.push_back(older);
  pb::JobRow before;  // Of the one whose next run begins.
  before.set_job("new");
  before.set_accepted_at_ms(99);
  pool.found.rows.push_back(before);
  const pb::JobList list = job_list(pool.jobs, pool.found);
  std::string jobs;
  for (const pb::JobRow& row : list.rows()) jobs += row.job() + " ";
  EXPECT_EQ(jobs, "new j21 j20 j19 j18 j17 j16 j15 j14 ");
  EXPECT_EQ(list.rows(3).settled_items(), 0) << "of what goes on more is known here";
  EXPECT_EQ(list.left_out(), 91u);
}

}  // namespace
}  // namespace muster::roles::server
