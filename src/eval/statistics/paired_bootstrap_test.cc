#include "eval/statistics/paired_bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eval/statistics/values_for_test.h"

namespace muster::eval {
namespace {

std::vector<double> moved(std::vector<double> values, double by, Rng& rng) {
  for (double& value : values) value += by + (uniform(rng) - 0.5) / 2;
  return values;
}

// The slow twin: an item is drawn with both of its values, and every resample is looked at twice.
double slow_p(const std::vector<double>& a, const std::vector<double>& b, int64_t resamples,
              Rng rng) {
  int64_t not_above = 0, not_below = 0;
  for (int64_t i = 0; i < resamples; ++i) {
    double sum = 0;
    for (size_t k = 0; k < a.size(); ++k) {
      const uint64_t item = rng.below(a.size());
      sum += b.at(item) - a.at(item);
    }
    if (sum <= 0) ++not_above;
    if (sum >= 0) ++not_below;
  }
  const double p = 2 * double(std::min(not_above, not_below) + 1) / double(resamples + 1);
  return std::max(std::min(1.0, p), std::pow(0.5, double(a.size()) - 1));
}

TEST(PairedBootstrap, EqualsItsSlowTwin) {
  Rng rng(2);
  for (size_t count : {1, 2, 5, 20, 100}) {
    const std::vector<double> a = uniform_values(count, rng), b = moved(a, 0.03, rng);
    const BootstrapOptions options{kCoverage95, 999};
    const PairedBootstrap got = paired_bootstrap(a, b, options, Rng(9));
    EXPECT_EQ(got.p_value, slow_p(a, b, 999, Rng(9)));
    std::vector<double> differences;
    for (size_t i = 0; i < count; ++i) differences.push_back(b[i] - a[i]);
    EXPECT_EQ(got.interval, bootstrap_interval(differences, options, Rng(9)));
    EXPECT_EQ(got.resamples, 999);
  }
}

double standard_normal_below(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// Of many items p is the normal one. By chance the share t beyond 0 is off by sqrt(t (1 - t) /
// resamples); five times that, and the skewness of 1,000 items, is the bound.
TEST(PairedBootstrap, OfManyItemsIsNormal) {
  Rng rng(12);
  for (double by : {0.0, 0.005, -0.007, 0.01}) {
    const std::vector<double> a = uniform_values(1000, rng), b = moved(a, by, rng);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += b[i] - a[i], squares += std::pow(b[i] - a[i], 2);
    const double mean = sum / 1000, error = std::sqrt((squares / 1000 - mean * mean) / 1000);
    const double tail = standard_normal_below(-std::abs(mean) / error);
    const PairedBootstrap got = paired_bootstrap(a, b, {}, rng.fork("resamples"));
    EXPECT_NEAR(got.difference, mean, 1e-12);
    EXPECT_NEAR(got.p_value, 2 * tail, 10 * std::sqrt(tail * (1 - tail) / 10'000) + 0.004) << by;
    EXPECT_NEAR(got.interval->low, mean - kCoverage95.z * error, 5 * 0.0267 * error);
    EXPECT_NEAR(got.interval->high, mean + kCoverage95.z * error, 5 * 0.0267 * error);
  }
}

TEST(PairedBootstrap, OfSwappedRunsIsTheMirror) {
  Rng rng(4);
  const std::vector<double> a = uniform_values(80, rng), b = moved(a, 0.02, rng);
  const PairedBootstrap one = paired_bootstrap(a, b, {}, Rng(1));
  const PairedBootstrap other = paired_bootstrap(b, a, {}, Rng(1));
  EXPECT_EQ(one.difference, -other.difference);
  EXPECT_EQ(one.p_value, other.p_value);
  EXPECT_NEAR(one.interval->low, -other.interval->high, 1e-15);
  EXPECT_NEAR(one.interval->high, -other.interval->low, 1e-15);
}

TEST(PairedBootstrap, OfEqualRunsSeesNoDifference) {
  Rng rng(8);
  const std::vector<double> values = uniform_values(40, rng);
  const PairedBootstrap got = paired_bootstrap(values, values, {}, Rng(1));
  EXPECT_EQ(got.p_value, 1);
  EXPECT_EQ(got.interval, (Interval{0, 0}));
}

// 0.1 + 0.2 - 0.3 is not 0 in doubles. Such a resample is a tie all the same: of the 27 there are,
// 6 have this sum, 10 are below it and 11 above.
TEST(PairedBootstrap, ADifferenceThatOnlyRoundingKeepsFromZeroIsZero) {
  const std::vector<double> a = {0, 0, 0}, b = {0.1, 0.2, -0.3};
  const BootstrapOptions options{kCoverage95, 10'000};
  EXPECT_EQ(paired_bootstrap(a, b, options, Rng(1)).p_value, 1);
  EXPECT_NEAR(paired_bootstrap(a, b, options, Rng(1)).difference, 0, 1e-16);
}

TEST(PairedBootstrap, AFewItemsAreNoEvidence) {
  const std::vector<double> a = {0, 0, 0}, b = {0.5, 0.6, 0.7};
  EXPECT_EQ(paired_bootstrap(a, b, {}, Rng(1)).p_value, 0.25);
  const PairedBootstrap one = paired_bootstrap(std::vector{0.0}, std::vector{0.5}, {}, Rng(1));
  EXPECT_EQ(one.p_value, 1);
  EXPECT_EQ(one.difference, 0.5);
  EXPECT_FALSE(one.interval);
}

TEST(PairedBootstrap, PIsNeverZero) {
  const std::vector<double> a(100, 0.0), b(100, 0.5);
  EXPECT_EQ(paired_bootstrap(a, b, {}, Rng(1)).p_value, 2.0 / 10'001);
  EXPECT_DEATH(paired_bootstrap({}, {}, {}, Rng(1)), "invariant");
  EXPECT_DEATH(paired_bootstrap(a, std::vector{0.5}, {}, Rng(1)), "invariant");
}

}  // namespace
}  // namespace muster::eval
