#include "eval/statistics/normal_interval.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

TEST(NormalInterval, IsScipys) {
  for (const Json& row : reference("normal")) {
    const Interval got = normal_interval(row["value"], row["stderr"], row["z"]);
    const double scale = std::abs(row["value"].get<double>()) + row["stderr"].get<double>();
    EXPECT_NEAR(got.low, row["low"], 1e-14 * scale) << row;
    EXPECT_NEAR(got.high, row["high"], 1e-14 * scale) << row;
  }
}

TEST(NormalInterval, WhatIsNotFiniteStaysSo) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(std::isfinite(normal_interval(infinite, 1, 2).low));
  EXPECT_TRUE(std::isnan(normal_interval(1, std::nan(""), 2).high));
  EXPECT_DEATH(normal_interval(1, -1, 2), "invariant");
}

}  // namespace
}  // namespace muster::eval
