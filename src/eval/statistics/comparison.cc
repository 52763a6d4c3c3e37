#include "eval/statistics/comparison.h"

#include <algorithm>
#include <string>

#include "base/check.h"
#include "eval/statistics/mcnemar.h"
#include "eval/statistics/paired_bootstrap.h"
#include "eval/statistics/tango_interval.h"

namespace muster::eval {
namespace {

Status check_values(const std::string& run, std::span<const double> values) {
  const auto bad = std::find_if_not(values.begin(), values.end(), can_resample);
  if (bad == values.end()) return {};
  return fail(Code::kUnsupported, "run " + run + ", item " + std::to_string(bad - values.begin()) +
                                      ": its value is not finite, or too large to compare");
}

Comparison compare_counts(const PairedCounts& counts, const Coverage& coverage) {
  const auto more = static_cast<double>(counts.only_b - counts.only_a);
  return {counts.items(),
          counts,
          more / static_cast<double>(counts.items()),
          tango_interval(counts, coverage.z),
          mcnemar_exact(counts.only_a, counts.only_b),
          PairedTest::kMcNemar};
}

}  // namespace

Result<Comparison> compare(std::span<const double> a, std::span<const double> b,
                           const BootstrapOptions& options, Rng rng) {
  MUSTER_CHECK(a.size() == b.size());
  if (a.empty()) return fail(Code::kUnsupported, "the two runs have no item in common");
  if (const auto counts = paired_counts(a, b)) return compare_counts(*counts, options.coverage);
  MUSTER_TRY_STATUS(check_values("A", a));
  MUSTER_TRY_STATUS(check_values("B", b));
  const PairedBootstrap found = paired_bootstrap(a, b, options, rng);
  return Comparison{
      static_cast<int64_t>(a.size()), std::nullopt, found.difference, found.interval, found.p_value,
      PairedTest::kPairedBootstrap};
}

}  // namespace muster::eval
