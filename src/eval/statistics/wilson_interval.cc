#include "eval/statistics/wilson_interval.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace muster::eval {

Interval wilson_interval(int64_t correct, int64_t total, double z) {
  MUSTER_CHECK(total >= 1 && correct >= 0 && correct <= total && z >= 0);
  const auto c = static_cast<double>(correct), n = static_cast<double>(total);
  const double share = c / n;
  // The ends are the roots of (n + z^2) p^2 - (2c + z^2) p + c^2 / n. The smaller one comes from
  // the product of both: as a difference it would lose its digits near 0.
  const double numerator = 2 * c + z * z + z * std::sqrt(z * z + 4 * c * (n - c) / n);
  if (numerator == 0) return {0, 0};
  return {std::min(2 * c * share / numerator, share),
          std::clamp(numerator / (2 * (n + z * z)), share, 1.0)};
}

}  // namespace muster::eval
