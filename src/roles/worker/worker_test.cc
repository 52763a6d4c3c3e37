// Whose orders a worker takes.
#include "roles/worker/worker.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/no_keys.h"

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
  // The worker has the model that it was asked for.
  void load() {
    EXPECT_TRUE(prepares("coordinator", 4));
    (void)worker.step(Instant(), ModelLoaded{"commit", "exact"});
  }
  Effects grant(uint64_t lease, uint32_t item) {
    pb::Envelope envelope;
    envelope.mutable_from()->set_machine("coordinator");
    pb::Grant& grant = *envelope.mutable_grant();
    *grant.mutable_key() = key(4);
    grant.mutable_lease()->set_epoch(4);
    grant.mutable_lease()->set_number(lease);
    grant.add_items()->set_item(item);
    return worker.step(Instant(), Received{envelope});
  }
  Effects withdraw(const pb::JobKey& key, uint64_t lease) {
    pb::Envelope envelope;
    envelope.mutable_from()->set_machine("coordinator");
    *envelope.mutable_withdraw()->mutable_key() = key;
    envelope.mutable_withdraw()->mutable_lease()->set_epoch(4);
    envelope.mutable_withdraw()->mutable_lease()->set_number(lease);
    return worker.step(Instant(), Received{envelope});
  }
  template <typename C>
  static bool runs(const Effects& effects) {
    return std::any_of(effects.run.begin(), effects.run.end(),
                       [](const Command& command) { return std::holds_alternative<C>(command); });
  }

  NoKeys keys;
  Worker worker{keys};
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

// Lease ids are numbered by each job: the same coordinator may have another with the same one.
TEST_F(WorkerTest, AWithdrawalOfAnotherJobsLeaseEndsNone) {
  lend(1, 4);
  load();
  EXPECT_TRUE(runs<ScoreItem>(grant(7, 0)));
  pb::JobKey other = key(4);
  other.set_job("another");
  EXPECT_FALSE(runs<StopScoring>(withdraw(other, 7)));
  EXPECT_FALSE(runs<StopScoring>(withdraw(key(4), 8)));
  EXPECT_TRUE(runs<StopScoring>(withdraw(key(4), 7)));
}

}  // namespace
}  // namespace muster::roles::worker
