#include "wire/job_state.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

TEST(JobState, ARunIsOverWhenItEnded) {
  EXPECT_FALSE(is_over(pb::JOB_STATE_UNSPECIFIED));
  EXPECT_FALSE(is_over(pb::JOB_STATE_RUNNING));
  for (const auto state : {pb::JOB_STATE_DONE, pb::JOB_STATE_FAILED, pb::JOB_STATE_CANCELLED}) {
    EXPECT_TRUE(is_over(state)) << state;
  }
}

}  // namespace
}  // namespace muster::wire
