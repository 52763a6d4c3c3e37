#include "eval/statistics/tango_interval.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"
#include "eval/statistics/coverage.h"
#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

PairedCounts counts_of(const Json& row) {
  const auto counts = row["counts"].get<std::vector<int64_t>>();
  return {counts[0], counts[1], counts[2], counts[3]};
}

TEST(TangoInterval, IsWhereTheScoreTestBeginsToReject) {
  for (const Json& row : reference("tango")) {
    const Interval got = tango_interval(counts_of(row), row["z"]);
    EXPECT_NEAR(got.low, row["low"], 1e-12) << row;
    EXPECT_NEAR(got.high, row["high"], 1e-12) << row;
  }
}

// What the R package contingencytables 3.1.0 (M. W. Fagerland, S. Lydersen, P. Laake) prints of 161
// patients before and after a therapy, and of three that all changed.
TEST(TangoInterval, IsWhatAnotherProgramPrints) {
  const Interval patients = tango_interval({59, 16, 6, 80}, kCoverage95.z);
  EXPECT_NEAR(patients.low, -0.1240, 5e-5);
  EXPECT_NEAR(patients.high, -0.0054, 5e-5);
  const Interval three = tango_interval({0, 0, 3, 0}, kCoverage95.z);
  EXPECT_NEAR(three.low, -0.1230, 5e-5);
  EXPECT_EQ(three.high, 1);
}

// Of no discordant items the ends are z^2 / (n + z^2).
TEST(TangoInterval, HasAWidthWhereBothAnsweredAlike) {
  const double z = kCoverage95.z;
  const Interval got = tango_interval({50, 0, 0, 50}, z);
  EXPECT_NEAR(got.high, z * z / (100 + z * z), 1e-12);
  EXPECT_EQ(got.low, -got.high);
}

TEST(TangoInterval, EndsWhereTheRangeDoes) {
  EXPECT_EQ(tango_interval({0, 0, 5, 0}, kCoverage95.z).high, 1);
  EXPECT_EQ(tango_interval({0, 5, 0, 0}, kCoverage95.z).low, -1);
  EXPECT_LT(tango_interval({0, 0, 5, 0}, kCoverage95.z).low, 0.6);
  EXPECT_DEATH(tango_interval({}, 1.96), "invariant");
}

PairedCounts random_counts(Rng& rng) {
  const uint64_t most = 1 + rng.below(400);
  return {int64_t(rng.below(most)), int64_t(rng.below(most)), int64_t(rng.below(most)),
          int64_t(1 + rng.below(most))};
}

TEST(TangoInterval, LeavesZeroOutWhenMcNemarsTestWithoutItsExactTailRejects) {
  Rng rng(5);
  for (int i = 0; i < 3000; ++i) {
    const PairedCounts counts = random_counts(rng);
    const Interval got = tango_interval(counts, kCoverage95.z);
    const auto apart = double(counts.only_a - counts.only_b);
    const double allowed = kCoverage95.z * kCoverage95.z * double(counts.only_a + counts.only_b);
    EXPECT_EQ(got.low <= 0 && got.high >= 0, apart * apart <= allowed) << i;
  }
}

TEST(TangoInterval, OfSwappedRunsIsTheMirror) {
  Rng rng(6);
  for (int i = 0; i < 300; ++i) {
    const PairedCounts counts = random_counts(rng);
    const auto& [both_right, only_a, only_b, both_wrong] = counts;
    const Interval got = tango_interval(counts, kCoverage95.z);
    EXPECT_EQ(tango_interval({both_right, only_b, only_a, both_wrong}, kCoverage95.z),
              (Interval{-got.high, -got.low}));
    EXPECT_LE(-1, got.low);
    EXPECT_LE(got.low * double(counts.items()), double(only_b - only_a) + 1e-9);
    EXPECT_GE(got.high * double(counts.items()), double(only_b - only_a) - 1e-9);
    EXPECT_LE(got.high, 1);
  }
}

}  // namespace
}  // namespace muster::eval
