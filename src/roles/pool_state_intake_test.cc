#include "roles/pool_state_intake.h"

#include <gtest/gtest.h>

namespace muster::roles {
namespace {

pb::PoolState state(uint64_t revision) {
  pb::PoolState state;
  state.set_revision(revision);
  return state;
}

TEST(PoolStateIntake, AnswersEachAndActsOnNoneThatWasOvertaken) {
  PoolStateIntake intake;
  Effects effects;
  EXPECT_EQ(intake.revision(), 0u);
  EXPECT_TRUE(intake.take(state(5), effects));
  EXPECT_TRUE(intake.take(state(5), effects)) << "the same again";
  EXPECT_FALSE(intake.take(state(4), effects));
  EXPECT_EQ(intake.revision(), 5u);
  ASSERT_EQ(effects.send.size(), 3u);
  EXPECT_EQ(effects.send[2].envelope.pool_state_seen().revision(), 4u);
}

TEST(PoolStateIntake, OnANewLineAnotherServerMayCountFromAnotherNumber) {
  PoolStateIntake intake;
  Effects effects;
  EXPECT_TRUE(intake.take(state(5), effects));
  intake.on_line_up();
  EXPECT_EQ(intake.revision(), 0u);
  EXPECT_TRUE(intake.take(state(1), effects));
}

}  // namespace
}  // namespace muster::roles
