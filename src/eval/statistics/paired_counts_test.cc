#include "eval/statistics/paired_counts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace muster::eval {
namespace {

TEST(PairedCounts, AreOfWhoWasRight) {
  const std::vector<double> a = {1, 1, 0, 0, 0, 1, 0}, b = {1, 0, 1, 1, 0, 1, 1};
  const auto counts = paired_counts(a, b);
  EXPECT_EQ(counts, (PairedCounts{2, 1, 3, 1}));
  EXPECT_EQ(counts->items(), 7);
  EXPECT_EQ(paired_counts({}, {}), PairedCounts{});
}

TEST(PairedCounts, AreOfZeroAndOneOnly) {
  EXPECT_FALSE(paired_counts(std::vector{0.5, 1.0}, std::vector{1.0, 1.0}));
  EXPECT_FALSE(paired_counts(std::vector{0.0, 1.0}, std::vector{1.0, 2.0}));
  EXPECT_FALSE(paired_counts(std::vector{0.0}, std::vector{std::nan("")}));
  EXPECT_TRUE(paired_counts(std::vector{-0.0}, std::vector{1.0}));
  EXPECT_DEATH(paired_counts(std::vector{1.0}, {}), "invariant");
}

}  // namespace
}  // namespace muster::eval
