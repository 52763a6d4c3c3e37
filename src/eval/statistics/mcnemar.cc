#include "eval/statistics/mcnemar.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace muster::eval {
namespace {

// Large, so that the tail of every p that is a double is one, too.
constexpr double kMiddle = 1e290;

}  // namespace

double mcnemar_exact(int64_t only_a, int64_t only_b) {
  MUSTER_CHECK(only_a >= 0 && only_b >= 0);
  const int64_t total = only_a + only_b, fewer = std::min(only_a, only_b), middle = total / 2;
  // Every probability as a multiple of the middle one, whose own value then is not needed: the
  // log-gamma of a million would leave nine digits. Downwards from the middle until what is left is
  // too small for a double to have all its digits.
  double term = kMiddle, tail = 0, half = 0;
  for (int64_t k = middle; k >= 0 && term >= std::numeric_limits<double>::min(); --k) {
    half += term;
    if (k <= fewer) tail += term;
    term *= static_cast<double>(k) / static_cast<double>(total - k + 1);
  }
  const double all = total % 2 == 0 ? 2 * half - kMiddle : 2 * half;
  return std::min(1.0, 2 * (tail / all));
}

}  // namespace muster::eval
