#include "eval/statistics/comparison.h"

#include <gtest/gtest.h>

#include <limits>

#include "eval/statistics/mcnemar.h"
#include "eval/statistics/paired_bootstrap.h"
#include "eval/statistics/tango_interval.h"
#include "eval/statistics/values_for_test.h"

namespace muster::eval {
namespace {

// Item by item: both right, only A, only B, both wrong.
std::pair<std::vector<double>, std::vector<double>> runs(const PairedCounts& counts) {
  std::vector<double> a, b;
  const auto add = [&](int64_t items, double of_a, double of_b) {
    a.insert(a.end(), size_t(items), of_a);
    b.insert(b.end(), size_t(items), of_b);
  };
  add(counts.both_right, 1, 1);
  add(counts.only_a, 1, 0);
  add(counts.only_b, 0, 1);
  add(counts.both_wrong, 0, 0);
  return {a, b};
}

// On the same 100 items B is right on 6 more than A; that may be chance (p = 0.26).
TEST(Comparison, OfRightAndWrongIsMcNemars) {
  const PairedCounts counts{9, 7, 13, 71};
  const auto [a, b] = runs(counts);
  const Comparison got = *compare(a, b, {}, Rng(1));
  EXPECT_EQ(got.test, PairedTest::kMcNemar);
  EXPECT_EQ(got.items, 100);
  EXPECT_EQ(got.counts, counts);
  EXPECT_DOUBLE_EQ(got.difference, 0.06);
  EXPECT_EQ(got.p_value, mcnemar_exact(7, 13));
  EXPECT_NEAR(got.p_value, 0.26, 5e-3);
  EXPECT_EQ(got.interval, tango_interval(counts, kCoverage95.z));
  EXPECT_NEAR(got.interval->low, -0.03, 5e-3);
  EXPECT_NEAR(got.interval->high, 0.15, 5e-3);
}

TEST(Comparison, OfOtherValuesIsTheBootstraps) {
  Rng rng(1);
  const std::vector<double> a = uniform_values(60, rng), b = uniform_values(60, rng);
  const Comparison got = *compare(a, b, {}, Rng(1));
  const PairedBootstrap want = paired_bootstrap(a, b, {}, Rng(1));
  EXPECT_EQ(got.test, PairedTest::kPairedBootstrap);
  EXPECT_EQ(got.items, 60);
  EXPECT_FALSE(got.counts);
  EXPECT_EQ(got.difference, want.difference);
  EXPECT_EQ(got.interval, want.interval);
  EXPECT_EQ(got.p_value, want.p_value);
}

TEST(Comparison, IsTheBootstrapsWhenOneValueIsNeitherRightNorWrong) {
  const std::vector<double> a = {1, 0, 1}, b = {1, 0, 0.5};
  EXPECT_EQ(compare(a, b, {}, Rng(1))->test, PairedTest::kPairedBootstrap);
}

TEST(Comparison, OfARunWithItselfSeesNoDifference) {
  const auto [a, b] = runs({3, 0, 0, 4});
  const Comparison got = *compare(a, b, {}, Rng(1));
  EXPECT_EQ(got.p_value, 1);
  EXPECT_EQ(got.difference, 0);
  EXPECT_LT(got.interval->low, 0);
}

TEST(Comparison, OfOneItemSaysNothing) {
  const std::vector<double> wrong = {0}, right = {1}, other = {0.5};
  EXPECT_EQ(compare(wrong, right, {}, Rng(1))->p_value, 1);
  EXPECT_EQ(compare(wrong, other, {}, Rng(1))->p_value, 1);
  EXPECT_FALSE(compare(wrong, other, {}, Rng(1))->interval);
}

TEST(Comparison, OfNoItemsOrOfNoNumbersIsRefused) {
  const double infinite = std::numeric_limits<double>::infinity();
  const std::vector<double> good = {0.5, 1}, bad = {0.5, infinite};
  const auto none = compare({}, {}, {}, Rng(1));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::kUnsupported);
  EXPECT_EQ(none.error().message, "the two runs have no item in common");
  const auto refused = compare(good, bad, {}, Rng(1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "run B, item 1: its value is not finite, or too large to compare");
  EXPECT_DEATH((void)compare(good, {}, {}, Rng(1)), "invariant");
}

}  // namespace
}  // namespace muster::eval
