// Whose orders a worker takes.
#include "roles/worker/worker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "roles/no_keys.h"

namespace muster::roles::worker {
namespace {

class WorkerTest : public testing::Test {
 protected:
  static pb::JobKey key(uint64_t epoch) {
    pb::JobKey key;
    key.set_job("job");
    key.set_run(1);
    key.set_epoch(epoch);
    return key;
  }
  void lend(uint64_t revision, uint64_t epoch) {
    pb::Envelope envelope;
    pb::PoolState& state = *envelope.mutable_pool_state();
    state.set_revision(revision);
    state.set_lent_known(true);
    state.set_coordinator("coordinator");
    state.mutable_model()->set_name("of the server");
    state.mutable_model()->set_commit("commit");
    *state.mutable_lent() = key(epoch);
    state.add_live()->set_job("job");
    state.mutable_live(0)->set_run(1);
    (void)worker.step(Instant(), Received{envelope});
  }
  // Whether it answers who asks it to have the model ready.
  bool prepares(const std::string& who, uint64_t epoch) {
    pb::Envelope envelope;
    envelope.mutable_from()->set_machine(who);
    *envelope.mutable_prepare()->mutable_key() = key(epoch);
    const Effects effects = worker.step(Instant(), Received{envelope});
    return std::any_of(effects.send.begin(), effects.send.end(),
                       [](const Send& send) { return send.envelope.has_preparing(); });
  }

  NoKeys keys;
  Worker worker{"", keys};
};

TEST_F(WorkerTest, ListensToTheCoordinatorItIsLentTo) {
  lend(1, 4);
  EXPECT_FALSE(prepares("another", 4));
  EXPECT_FALSE(prepares("coordinator", 5));
  EXPECT_TRUE(prepares("coordinator", 4));
}

TEST_F(WorkerTest, HearsNothingOfAnEarlierState) {
  lend(7, 4);
  lend(6, 3);
  EXPECT_TRUE(prepares("coordinator", 4));
}

TEST_F(WorkerTest, GoesBackToALowerEpochWithTheServersDatabase) {
  lend(7, 4);
  (void)worker.step(Instant(), LineUp{});
  lend(1, 2);
  EXPECT_FALSE(prepares("coordinator", 4));
  EXPECT_TRUE(prepares("coordinator", 2));
}

}  // namespace
}  // namespace muster::roles::worker
