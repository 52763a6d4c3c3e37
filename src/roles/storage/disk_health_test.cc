#include "roles/storage/disk_health.h"

#include <gtest/gtest.h>

namespace muster::roles::storage {
namespace {

class DiskHealthTest : public testing::Test {
 protected:
  // What a step says to the server: the problem, "" for none; "-": nothing.
  std::string keep(Duration after) {
    effects_ = {};
    health_.keep(kStart + after, next_write_, effects_);
    if (effects_.send.empty()) return "-";
    EXPECT_EQ(effects_.send.size(), 1u);
    number_ = effects_.send[0].envelope.store_state().number();
    return effects_.send[0].envelope.store_state().problem();
  }
  [[nodiscard]] bool probes() const { return !effects_.writes.empty(); }
  DiskHealth::Probed settle(Outcome outcome) {
    return health_.settle({next_write_ - 1, outcome, ""}, effects_);
  }

  static constexpr Instant kStart{seconds(1000)};
  WriteId next_write_ = 7;
  uint64_t number_ = 0;
  DiskHealth health_;
  Effects effects_;
};

TEST_F(DiskHealthTest, WhatCannotBeWrittenIsToldAgainAndAgainAndTried) {
  EXPECT_EQ(keep({}), "-");
  health_.note_failure(kStart, "no space", effects_);
  health_.note_failure(kStart, "another", effects_);
  EXPECT_EQ(effects_.notes.size(), 1u) << "the console hears it once";
  EXPECT_FALSE(health_.can_be_written());
  EXPECT_EQ(keep({}), "no space");
  EXPECT_EQ(effects_.wake_at, kStart + kRepeatEvery);
  EXPECT_EQ(number_, 1u);
  EXPECT_EQ(keep(seconds(1)), "-");
  EXPECT_EQ(keep(seconds(2)), "no space");
  EXPECT_FALSE(probes());
  EXPECT_EQ(keep(seconds(10)), "no space");
  ASSERT_TRUE(probes());
  EXPECT_EQ(effects_.writes[0].id, 7u);
  EXPECT_EQ(health_.pending(), 1u);
  EXPECT_EQ(keep(seconds(20)), "no space");
  EXPECT_FALSE(probes()) << "one at a time";
  EXPECT_EQ(settle(Outcome::kFailed), DiskHealth::Probed::kInVain);
  EXPECT_EQ(keep(seconds(20)), "-");
  ASSERT_TRUE(probes());
  EXPECT_EQ(health_.settle({1, Outcome::kDone, ""}, effects_), DiskHealth::Probed::kNotMine);
  EXPECT_EQ(settle(Outcome::kDone), DiskHealth::Probed::kRecovered);
  EXPECT_TRUE(health_.can_be_written());
  EXPECT_EQ(health_.pending(), 0u);
  EXPECT_EQ(keep(seconds(30)), "-");
}

TEST_F(DiskHealthTest, AServerThatBelievesWronglyIsToldThatItCan) {
  health_.set_excluded(true);
  EXPECT_EQ(keep({}), "");
  EXPECT_FALSE(probes());
  EXPECT_EQ(keep(seconds(1)), "-");
  EXPECT_EQ(keep(seconds(2)), "");
  health_.set_excluded(false);
  EXPECT_EQ(keep(seconds(4)), "-");
}

TEST_F(DiskHealthTest, OneThatOwesAnAnswerForTooLongCannotBeWritten) {
  const auto is_overdue = [&](Duration after, bool owes = true) {
    effects_ = {};
    return health_.is_overdue(kStart + after, owes, effects_);
  };
  EXPECT_FALSE(is_overdue({}));
  EXPECT_EQ(effects_.wake_at, kStart + DiskHealth::kPatience);
  EXPECT_FALSE(is_overdue(DiskHealth::kPatience - milliseconds(1)));
  EXPECT_TRUE(is_overdue(DiskHealth::kPatience));
  health_.note_answer();
  EXPECT_FALSE(is_overdue(DiskHealth::kPatience)) << "it has answered something";
  EXPECT_FALSE(is_overdue(DiskHealth::kPatience + seconds(1), false)) << "it owes nothing";
  EXPECT_FALSE(is_overdue(2 * DiskHealth::kPatience));
  health_.note_failure(kStart, "hangs", effects_);
  EXPECT_FALSE(is_overdue(9 * DiskHealth::kPatience)) << "that is known";
}

}  // namespace
}  // namespace muster::roles::storage
