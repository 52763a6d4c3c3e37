#include "eval/statistics/holm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"

namespace muster::eval {
namespace {

// Indices of the tests that were made, the smallest p first.
std::vector<size_t> by_size(std::span<const double> p_values) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p_values.size(); ++i) {
    if (std::isnan(p_values[i])) continue;
    MUSTER_CHECK(p_values[i] >= 0 && p_values[i] <= 1);
    order.push_back(i);
  }
  std::sort(order.begin(), order.end(),
            [&](size_t one, size_t other) { return p_values[one] < p_values[other]; });
  return order;
}

}  // namespace

std::vector<double> holm_adjusted(std::span<const double> p_values) {
  std::vector<double> adjusted(p_values.begin(), p_values.end());
  const std::vector<size_t> order = by_size(p_values);
  double largest = 0;
  for (size_t step = 0; step < order.size(); ++step) {
    const auto tests_left = static_cast<double>(order.size() - step);
    largest = std::max(largest, std::min(1.0, tests_left * p_values[order[step]]));
    adjusted[order[step]] = largest;
  }
  return adjusted;
}

}  // namespace muster::eval
