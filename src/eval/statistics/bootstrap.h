#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "eval/statistics/coverage.h"
#include "eval/statistics/interval.h"

namespace muster::eval {

// The bootstrap of a mean: what the mean would have been on other items, by drawing as many items
// as there are from those there are, with replacement, again and again.
//
// Source: B. Efron, The Annals of Statistics 7(1), 1979, pp. 1-26.

struct BootstrapOptions {
  Coverage coverage = kCoverage95;
  int64_t resamples = 10'000;  // Wanted; at least kFewestResamples (checked).
  // Draws of an item that all resamples may cost together, about 10 ns each. Of 56,000 items the
  // default leaves 892 resamples, which take half a second.
  int64_t most_draws = 50'000'000;
};

// However many items there are. The ends of an interval of 95 % then are about 0.2 of the mean's
// standard error off, by chance.
constexpr int64_t kFewestResamples = 200;

// As many resamples as are wanted, or as `most_draws` leave of them; kFewestResamples at least.
// items >= 1 (checked).
int64_t affordable_resamples(int64_t items, const BootstrapOptions& options);

// Whether a value can be resampled: finite, and between -1e150 and 1e150, so that no sum overflows.
bool can_resample(double value);

// The means of that many resamples, ascending. The same values in the same order and the same `rng`
// give the same bytes: hand values over in item order.
//
//   values     one an item, not empty, each of them one that can be resampled (checked)
//   resamples  at least 1 (checked)
//
// Costs resamples * values draws.
std::vector<double> resampled_means(std::span<const double> values, int64_t resamples, Rng rng);

// The percentile interval of the mean of any values, in their unit: the quantiles of the resampled
// means that leave half of what is not covered on either side. None for fewer than two values, or
// when one of them cannot be resampled.
//
// It is as if the items were the population: about sqrt((n - 1) / n) as wide as the normal
// interval, and of no width where all values are equal. Of differences of uniform values an
// interval of 95 % covered in 94 of 100 cases with 100 items, and in 90 with ten. For 0 and 1 use
// wilson_interval.
//
// Source: B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
std::optional<Interval> bootstrap_interval(std::span<const double> values,
                                           const BootstrapOptions& options, Rng rng);

// The same quantiles of means that were resampled already; ascending, not empty (checked).
Interval percentile_interval(std::span<const double> resampled, const Coverage& coverage);

}  // namespace muster::eval
