#include "roles/server/kept_runs.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(1000)};
constexpr int64_t kNowMs = 5'000'000;
constexpr Duration kRetain = seconds(100);

KeptRun ended(const std::string& job, int64_t at_ms, const std::string& coordinator = "coord") {
  KeptRun over;
  over.ended_at_ms = at_ms;
  over.run.set_job(job);
  over.run.set_run(1);
  over.run.add_assignments()->set_coordinator(coordinator);
  return over;
}

class KeptRunsTest : public testing::Test {
 protected:
  ~KeptRunsTest() override { kept_.check(); }
  [[nodiscard]] std::string names(int64_t now_ms = kNowMs) const {
    std::string names;
    for (const pb::LiveJob& run : kept_.list(now_ms)) names += run.job() + " ";
    return names;
  }
  bool expires(int64_t after_ms) {
    effects_.wake_at.reset();
    return kept_.expire(kStart + milliseconds(after_ms), kNowMs + after_ms, effects_);
  }

  KeptRuns kept_{kRetain};
  Effects effects_;
};

TEST_F(KeptRunsTest, RecordsAreKeptForAWhileAfterTheEnd) {
  kept_.add(ended("first", kNowMs - 60'000));
  kept_.add(ended("second", kNowMs - 30'000));
  kept_.add(ended("gone", kNowMs - 100'000));
  EXPECT_EQ(names(), "second first ");
  EXPECT_EQ(names(kNowMs + 40'000), "second ");
  EXPECT_EQ(kept_.list(kNowMs).front().assignments(0).coordinator(), "coord")
      << "a store judges by it whose records these are";
}

TEST_F(KeptRunsTest, ItIsSeenWhenARunsTimeHasCome) {
  EXPECT_FALSE(expires(0));
  EXPECT_FALSE(effects_.wake_at);
  kept_.add(ended("first", kNowMs - 60'000));
  kept_.add(ended("second", kNowMs - 30'000));
  EXPECT_FALSE(expires(0));
  EXPECT_EQ(effects_.wake_at, kStart + milliseconds(40'000));
  EXPECT_FALSE(expires(39'999));
  EXPECT_TRUE(expires(40'000));
  EXPECT_EQ(effects_.wake_at, kStart + milliseconds(70'000));
  EXPECT_FALSE(expires(40'001)) << "once";
  EXPECT_EQ(kept_.size(), 1u) << "and nothing is left of it";
  EXPECT_TRUE(expires(70'000));
  EXPECT_FALSE(effects_.wake_at);
}

TEST_F(KeptRunsTest, OfAJobTheLatestRunAlone) {
  kept_.add(ended("j", kNowMs - 60'000));
  kept_.add(ended("j", kNowMs - 30'000));
  EXPECT_EQ(names(), "j ");
  kept_.drop("j");
  EXPECT_EQ(names(), "");
  kept_.drop("j");
  EXPECT_EQ(kept_.size(), 0u);
}

TEST_F(KeptRunsTest, AsManyAsAMessageHasRoomForTheLatest) {
  const std::string long_name(100u << 10, 'x');
  for (int i = 0; i < 12; ++i) {
    kept_.add(ended("j" + std::to_string(10 + i), kNowMs - 12 + i, long_name));
    kept_.check();
  }
  EXPECT_EQ(names(), "j21 j20 j19 j18 j17 j16 j15 j14 ");
}

TEST(KeptRun, IsOneThatHasRecords) {
  pb::JobRow row;
  row.set_job("j");
  row.set_run(3);
  row.set_epoch(7);
  row.set_ended_at_ms(kNowMs);
  EXPECT_FALSE(kept_run(row)) << "nobody has frozen it";
  row.set_frozen_digest("digest");
  ASSERT_TRUE(kept_run(row));
  EXPECT_EQ(kept_run(row)->ended_at_ms, kNowMs);
  EXPECT_EQ(kept_run(row)->run.run(), 3u);
  EXPECT_EQ(kept_run(row)->run.epoch(), 7u);
}

}  // namespace
}  // namespace muster::roles::server
