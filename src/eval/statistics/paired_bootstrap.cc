#include "eval/statistics/paired_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/check.h"

namespace muster::eval {
namespace {

std::vector<double> differences(std::span<const double> a, std::span<const double> b) {
  std::vector<double> result;
  for (size_t i = 0; i < a.size(); ++i) {
    MUSTER_CHECK(can_resample(a[i]) && can_resample(b[i]));
    result.push_back(b[i] - a[i]);
  }
  return result;
}

// A bound of what adding up in another order can do to the mean.
double rounding(std::span<const double> values) {
  double largest = 0;
  for (double value : values) largest = std::max(largest, std::abs(value));
  return largest * static_cast<double>(values.size()) * std::numeric_limits<double>::epsilon();
}

// `means` are ascending; those within `zero` of 0 are on both sides.
double two_sided_p(std::span<const double> means, double zero) {
  const auto not_above = std::upper_bound(means.begin(), means.end(), zero) - means.begin();
  const auto not_below = means.end() - std::lower_bound(means.begin(), means.end(), -zero);
  const auto rarer = static_cast<double>(std::min(not_above, not_below));
  return std::min(1.0, 2 * (rarer + 1) / (static_cast<double>(means.size()) + 1));
}

double least_p(size_t items) { return std::pow(0.5, static_cast<double>(items) - 1); }

}  // namespace

PairedBootstrap paired_bootstrap(std::span<const double> a, std::span<const double> b,
                                 const BootstrapOptions& options, Rng rng) {
  MUSTER_CHECK(a.size() == b.size() && !a.empty());
  const std::vector<double> values = differences(a, b);
  double sum = 0;
  for (double value : values) sum += value;
  PairedBootstrap result;
  result.difference = sum / static_cast<double>(values.size());
  result.resamples = affordable_resamples(static_cast<int64_t>(values.size()), options);
  const std::vector<double> means = resampled_means(values, result.resamples, rng);
  if (values.size() > 1) result.interval = percentile_interval(means, options.coverage);
  result.p_value = std::max(two_sided_p(means, rounding(values)), least_p(values.size()));
  return result;
}

}  // namespace muster::eval
