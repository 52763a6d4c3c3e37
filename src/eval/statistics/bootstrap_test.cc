#include "eval/statistics/bootstrap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eval/statistics/values_for_test.h"

namespace muster::eval {
namespace {

// The slow twin: every resample as a list of its own, the mean and the quantiles by their words.
std::vector<double> slow_means(const std::vector<double>& values, int64_t resamples, Rng rng) {
  std::vector<double> means;
  for (int64_t i = 0; i < resamples; ++i) {
    std::vector<double> drawn;
    while (drawn.size() < values.size()) drawn.push_back(values.at(rng.below(values.size())));
    double sum = 0;
    for (double value : drawn) sum += value;
    means.insert(std::upper_bound(means.begin(), means.end(), sum / double(drawn.size())),
                 sum / double(drawn.size()));
  }
  return means;
}

double slow_quantile(const std::vector<double>& sorted, double probability) {
  const double place = probability * double(sorted.size() - 1);
  const double below = sorted.at(size_t(std::floor(place)));
  return below + (place - std::floor(place)) * (sorted.at(size_t(std::ceil(place))) - below);
}

TEST(Bootstrap, EqualsItsSlowTwin) {
  Rng rng(7);
  for (size_t count : {2, 3, 17, 100}) {
    const std::vector<double> values = uniform_values(count, rng);
    const Rng chance = rng.fork("chance");
    const std::vector<double> means = slow_means(values, 500, chance);
    EXPECT_EQ(resampled_means(values, 500, chance), means);
    const auto got = bootstrap_interval(values, {kCoverage95, 500}, chance);
    EXPECT_EQ(got->low, slow_quantile(means, (1 - 0.95) / 2));
    EXPECT_EQ(got->high, slow_quantile(means, 1 - (1 - 0.95) / 2));
  }
}

// Of many values the ends are those of the normal interval whose error is that of the items taken
// for the population. By chance they are off by sqrt(q (1 - q) / resamples) / density(z) errors:
// 0.0267 at 95 % and 0.0136 at 50 % of 10,000 resamples. Five times that is the bound.
TEST(Bootstrap, OfManyValuesIsNormal) {
  Rng rng(11);
  for (const auto& [coverage, off] : {std::pair{kCoverage95, 0.0267}, {kCoverage50, 0.0136}}) {
    const std::vector<double> values = uniform_values(2000, rng);
    double sum = 0, squares = 0;
    for (double value : values) sum += value, squares += value * value;
    const double mean = sum / 2000, error = std::sqrt((squares / 2000 - mean * mean) / 2000);
    const auto got = bootstrap_interval(values, {coverage, 10'000}, rng.fork("resamples"));
    EXPECT_NEAR(got->low, mean - coverage.z * error, 5 * off * error);
    EXPECT_NEAR(got->high, mean + coverage.z * error, 5 * off * error);
  }
}

TEST(Bootstrap, OneSeedGivesOneInterval) {
  Rng rng(3);
  const std::vector<double> values = uniform_values(50, rng);
  const BootstrapOptions options{kCoverage95, 1000};
  EXPECT_EQ(bootstrap_interval(values, options, Rng(5)),
            bootstrap_interval(values, options, Rng(5)));
  EXPECT_NE(bootstrap_interval(values, options, Rng(5)),
            bootstrap_interval(values, options, Rng(6)));
}

TEST(Bootstrap, TakesFewerResamplesOfMoreItems) {
  EXPECT_EQ(affordable_resamples(1, {}), 10'000);
  EXPECT_EQ(affordable_resamples(5'000, {}), 10'000);
  EXPECT_EQ(affordable_resamples(14'042, {}), 3'560);
  EXPECT_EQ(affordable_resamples(56'000, {}), 892);
  EXPECT_EQ(affordable_resamples(100'000'000, {}), kFewestResamples);
  EXPECT_DEATH(affordable_resamples(1, {kCoverage95, 199}), "invariant");
}

TEST(Bootstrap, OfWhatCannotBeResampledThereIsNone) {
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_FALSE(bootstrap_interval({}, {}, Rng(1)));
  EXPECT_FALSE(bootstrap_interval(std::vector{0.5}, {}, Rng(1)));
  EXPECT_FALSE(bootstrap_interval(std::vector{0.5, infinite}, {}, Rng(1)));
  EXPECT_FALSE(bootstrap_interval(std::vector{0.5, -1e200}, {}, Rng(1)));
  EXPECT_FALSE(bootstrap_interval(std::vector{std::nan(""), 1.0}, {}, Rng(1)));
  EXPECT_DEATH(resampled_means(std::vector{std::nan("")}, 5, Rng(1)), "invariant");
}

TEST(Bootstrap, OfEqualValuesHasNoWidth) {
  EXPECT_EQ(bootstrap_interval(std::vector{2.0, 2.0, 2.0}, {}, Rng(1)), (Interval{2, 2}));
}

}  // namespace
}  // namespace muster::eval
