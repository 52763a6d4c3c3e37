#include "eval/statistics/quantile.h"

#include <algorithm>
#include <cstddef>

#include "base/check.h"

namespace muster::eval {

double sorted_quantile(std::span<const double> sorted, double probability) {
  MUSTER_CHECK(!sorted.empty() && probability >= 0 && probability <= 1);
  const double place = probability * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace muster::eval
