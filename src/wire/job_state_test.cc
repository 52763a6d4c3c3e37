#include "wire/job_state.h"

#include <gtest/gtest.h>

#include <set>

namespace muster::wire {
namespace {

TEST(JobState, ARunIsOverWhenItEnded) {
  EXPECT_FALSE(is_over(pb::JOB_STATE_UNSPECIFIED));
  EXPECT_FALSE(is_over(pb::JOB_STATE_RUNNING));
  for (const auto state : {pb::JOB_STATE_DONE, pb::JOB_STATE_FAILED, pb::JOB_STATE_CANCELLED}) {
    EXPECT_TRUE(is_over(state)) << state;
  }
}

TEST(JobState, EachHasAWordOfItsOwn) {
  std::set<std::string_view> words;
  for (int state = pb::JobState_MIN; state <= pb::JobState_MAX; ++state) {
    if (pb::JobState_IsValid(state)) words.insert(to_word(static_cast<pb::JobState>(state)));
  }
  EXPECT_EQ(words,
            (std::set<std::string_view>{"unknown", "running", "done", "failed", "cancelled"}));
}

}  // namespace
}  // namespace muster::wire
