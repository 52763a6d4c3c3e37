// What a coordinator takes for its own when messages overtake one another.
#include "roles/coordinator/coordinator.h"

#include <gtest/gtest.h>

#include "roles/no_keys.h"

namespace muster::roles::coordinator {
namespace {

class CoordinatorTest : public ::testing::Test {
 protected:
  void pool_state(uint64_t revision, uint64_t live_epoch) {
    pb::Envelope envelope;
    envelope.mutable_pool_state()->set_revision(revision);
    if (live_epoch > 0) {
      auto* live = envelope.mutable_pool_state()->add_live();
      live->set_job("job");
      live->set_run(1);
      live->set_epoch(live_epoch);
    }
    (void)coordinator.step(Instant(), Received{envelope});
  }
  Effects assign(uint64_t revision, uint64_t epoch) {
    pb::Envelope envelope;
    envelope.mutable_assign()->set_revision(revision);
    envelope.mutable_assign()->mutable_row()->set_job("job");
    envelope.mutable_assign()->mutable_row()->set_run(1);
    envelope.mutable_assign()->mutable_row()->set_epoch(epoch);
    return coordinator.step(Instant(), Received{envelope});
  }
  // The epoch from which the server is told to go on; 0: it is told nothing.
  static uint64_t overtaken(const Effects& effects) {
    for (const auto& send : effects.send) {
      if (send.envelope.has_overtaken()) return send.envelope.overtaken().epoch();
    }
    return 0;
  }
  [[nodiscard]] bool has_job() const { return coordinator.pending() > 0; }

  NoKeys keys;
  Coordinator coordinator{keys, Rng(1)};
};

TEST_F(CoordinatorTest, TakesAJobBeforeItHearsThatItIsLive) {
  pool_state(5, 0);
  assign(6, 1);
  EXPECT_TRUE(has_job());
  pool_state(5, 0);  // Repeated; older than the assignment.
  EXPECT_TRUE(has_job());
  pool_state(7, 1);
  EXPECT_TRUE(has_job());
}

TEST_F(CoordinatorTest, LeavesAJobThatIsOver) {
  assign(6, 1);
  pool_state(7, 0);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, LeavesAJobThatIsAnothers) {
  assign(6, 1);
  pool_state(7, 2);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, AnAssignmentThatComesAfterTheEndOfItsJobIsNoNews) {
  pool_state(7, 0);
  assign(6, 1);
  EXPECT_FALSE(has_job());
}

TEST_F(CoordinatorTest, SaysWhenTheServersDatabaseIsOlderThanWhatWasDone) {
  pool_state(5, 3);
  EXPECT_EQ(overtaken(assign(6, 3)), 0u);
  EXPECT_EQ(overtaken(assign(7, 3)), 0u) << "repeated";
  EXPECT_EQ(overtaken(assign(8, 2)), 3u);
  (void)coordinator.step(Instant(), LineUp{});
  EXPECT_EQ(overtaken(assign(1, 3)), 3u) << "a new line brings a new epoch";
  EXPECT_EQ(overtaken(assign(2, 4)), 0u);
}

TEST_F(CoordinatorTest, AnAssignmentThatComesLateCountsWhileItsJobGoesOn) {
  pool_state(7, 1);
  assign(6, 1);
  EXPECT_TRUE(has_job());
}

}  // namespace
}  // namespace muster::roles::coordinator
