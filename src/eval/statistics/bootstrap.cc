#include "eval/statistics/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "eval/statistics/quantile.h"

namespace muster::eval {
namespace {

// Far from the largest double: items times this is finite, and so is a difference of two.
constexpr double kLargest = 1e150;

double resampled_mean(std::span<const double> values, Rng& rng) {
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += values[rng.below(values.size())];
  return sum / static_cast<double>(values.size());
}

}  // namespace

int64_t affordable_resamples(int64_t items, const BootstrapOptions& options) {
  MUSTER_CHECK(items >= 1 && options.resamples >= kFewestResamples);
  return std::clamp(options.most_draws / items, kFewestResamples, options.resamples);
}

bool can_resample(double value) { return std::abs(value) <= kLargest; }

std::vector<double> resampled_means(std::span<const double> values, int64_t resamples, Rng rng) {
  MUSTER_CHECK(!values.empty() && resamples >= 1);
  MUSTER_CHECK(std::all_of(values.begin(), values.end(), can_resample));
  std::vector<double> means(static_cast<size_t>(resamples));
  for (double& mean : means) mean = resampled_mean(values, rng);
  std::sort(means.begin(), means.end());
  return means;
}

std::optional<Interval> bootstrap_interval(std::span<const double> values,
                                           const BootstrapOptions& options, Rng rng) {
  if (values.size() < 2) return std::nullopt;
  if (!std::all_of(values.begin(), values.end(), can_resample)) return std::nullopt;
  const int64_t resamples = affordable_resamples(static_cast<int64_t>(values.size()), options);
  return percentile_interval(resampled_means(values, resamples, rng), options.coverage);
}

Interval percentile_interval(std::span<const double> resampled, const Coverage& coverage) {
  const double outside = (1 - coverage.share) / 2;
  return {sorted_quantile(resampled, outside), sorted_quantile(resampled, 1 - outside)};
}

}  // namespace muster::eval
