#include "eval/statistics/holm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "eval/statistics/reference_for_test.h"

namespace muster::eval {
namespace {

TEST(Holm, IsStatsmodels) {
  for (const Json& row : reference("holm")) {
    const auto want = row["adjusted"].get<std::vector<double>>();
    const std::vector<double> got = holm_adjusted(row["p"].get<std::vector<double>>());
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i)
      EXPECT_LT(relative_error(got[i], want[i]), 1e-14) << row;
  }
}

// The slow twin, by the definition: p times the number of those not smaller, and no less than what
// a smaller one comes to.
std::vector<double> slow_holm(const std::vector<double>& p) {
  std::vector<double> adjusted(p.size(), 0.0);
  for (size_t i = 0; i < p.size(); ++i) {
    for (double smaller : p) {
      const auto left = std::count_if(p.begin(), p.end(), [&](double q) { return q >= smaller; });
      if (smaller <= p[i])
        adjusted[i] = std::max(adjusted[i], std::min(1.0, double(left) * smaller));
    }
  }
  return adjusted;
}

TEST(Holm, EqualsItsSlowTwin) {
  Rng rng(1);
  for (int i = 0; i < 500; ++i) {
    std::vector<double> p(rng.below(30));
    for (double& value : p) value = std::pow(double(rng.below(50)) / 49, 4);
    ASSERT_EQ(holm_adjusted(p), slow_holm(p)) << i;
  }
}

TEST(Holm, ATestThatWasNotMadeIsNone) {
  const std::vector<double> got = holm_adjusted(std::vector{0.02, std::nan(""), 0.5});
  EXPECT_EQ(got[0], 0.04);
  EXPECT_TRUE(std::isnan(got[1]));
  EXPECT_EQ(got[2], 0.5);
  EXPECT_DEATH(holm_adjusted(std::vector{1.5}), "invariant");
  EXPECT_DEATH(holm_adjusted(std::vector{-0.1}), "invariant");
}

}  // namespace
}  // namespace muster::eval
