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
  // The number by which a look-up is asked for.
  uint64_t pin(uint64_t call, const std::string& model) {
    pb::Envelope envelope;
    envelope.mutable_pin_model()->set_call(call);
    envelope.mutable_pin_model()->set_model(model);
    const Effects effects = coordinator.step(Instant(), Received{envelope});
    return std::get<PinModel>(effects.run.at(0)).call;
  }
  // What the server is told when it is done: the call and the model; nothing: (0, "").
  std::pair<uint64_t, std::string> pinned(uint64_t number, const std::string& model) {
    pb::ModelPin pin;
    pin.set_name(model);
    for (const auto& send : coordinator.step(Instant(), ModelPinned{number, pin}).send) {
      const pb::Pinned& said = send.envelope.pinned();
      if (send.envelope.has_pinned()) return {said.call(), said.model().name()};
    }
    return {};
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

// Another server, on an empty database, counts its calls from the beginning.
TEST_F(CoordinatorTest, AnswersNoServerWhatAnotherAsked) {
  const uint64_t first = pin(1, "a");
  (void)coordinator.step(Instant(), LineUp{});
  const uint64_t second = pin(1, "b");
  EXPECT_EQ(pinned(first, "a").first, 0u);
  EXPECT_EQ(pinned(second, "b"), std::pair(uint64_t{1}, std::string("b")));
  EXPECT_EQ(pinned(second, "b").first, 0u) << "once";
}

TEST_F(CoordinatorTest, AnAssignmentThatComesLateCountsWhileItsJobGoesOn) {
  pool_state(7, 1);
  assign(6, 1);
  EXPECT_TRUE(has_job());
}

}  // namespace
}  // namespace muster::roles::coordinator
