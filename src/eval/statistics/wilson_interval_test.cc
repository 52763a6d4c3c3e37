#include "eval/statistics/wilson_interval.h"

#include <gtest/gtest.h>

#include "eval/statistics/coverage.h"
#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

TEST(WilsonInterval, IsStatsmodels) {
  for (const Json& row : reference("wilson")) {
    const Interval got = wilson_interval(row["correct"], row["total"], row["z"]);
    // statsmodels takes the lower end for a difference, which leaves about 1e-17 of nothing.
    EXPECT_NEAR(got.low, row["low"], 1e-12 * row["low"].get<double>() + 1e-16) << row;
    EXPECT_LT(relative_error(got.high, row["high"]), 1e-12) << row;
  }
}

TEST(WilsonInterval, OfSixteenInAHundredIsAsPublished) {
  const Interval got = wilson_interval(16, 100, kCoverage95.z);
  EXPECT_NEAR(got.low, 0.101, 5e-4);
  EXPECT_NEAR(got.high, 0.244, 5e-4);
}

TEST(WilsonInterval, StaysInItsRangeAndHoldsTheShare) {
  for (int64_t total = 1; total <= 300; ++total) {
    for (int64_t correct = 0; correct <= total; ++correct) {
      const double share = static_cast<double>(correct) / static_cast<double>(total);
      const Interval got = wilson_interval(correct, total, kCoverage95.z);
      ASSERT_TRUE(0 <= got.low && got.low <= share && share <= got.high && got.high <= 1)
          << correct << " of " << total;
    }
  }
}

TEST(WilsonInterval, OfNoneOrAllEndsThereAndHasAWidth) {
  EXPECT_EQ(wilson_interval(0, 5, kCoverage95.z).low, 0);
  EXPECT_GT(wilson_interval(0, 5, kCoverage95.z).high, 0.4);
  EXPECT_EQ(wilson_interval(5, 5, kCoverage95.z).high, 1);
  EXPECT_LT(wilson_interval(5, 5, kCoverage95.z).low, 0.6);
}

TEST(WilsonInterval, WithoutCoverageIsTheShare) {
  for (int64_t correct : {0, 1, 2, 4}) {
    const double share = static_cast<double>(correct) / 4;
    EXPECT_EQ(wilson_interval(correct, 4, 0), (Interval{share, share}));
  }
}

TEST(WilsonInterval, RefusesCountsThatAreNone) {
  EXPECT_DEATH(wilson_interval(0, 0, 1.96), "invariant");
  EXPECT_DEATH(wilson_interval(-1, 5, 1.96), "invariant");
  EXPECT_DEATH(wilson_interval(6, 5, 1.96), "invariant");
}

}  // namespace
}  // namespace muster::eval
