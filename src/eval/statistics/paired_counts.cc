#include "eval/statistics/paired_counts.h"

#include <algorithm>

#include "base/check.h"

namespace muster::eval {
namespace {

bool all_right_or_wrong(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0 || v == 1; });
}

}  // namespace

std::optional<PairedCounts> paired_counts(std::span<const double> a, std::span<const double> b) {
  MUSTER_CHECK(a.size() == b.size());
  if (!all_right_or_wrong(a) || !all_right_or_wrong(b)) return std::nullopt;
  PairedCounts counts;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) {
      ++(a[i] == 1 ? counts.both_right : counts.both_wrong);
    } else {
      ++(a[i] == 1 ? counts.only_a : counts.only_b);
    }
  }
  return counts;
}

}  // namespace muster::eval
