#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/result.h"
#include "base/rng.h"
#include "eval/statistics/bootstrap.h"
#include "eval/statistics/interval.h"
#include "eval/statistics/paired_counts.h"

namespace muster::eval {

enum class PairedTest { kMcNemar, kPairedBootstrap };

// Two runs on the same items.
struct Comparison {
  int64_t items = 0;
  std::optional<PairedCounts> counts;  // Only where an item is right or wrong.
  double difference = 0;               // Mean of B minus mean of A, in the values' unit.
  std::optional<Interval> interval;    // Of the difference; none where no test can give one.
  double p_value = 1;                  // Two-sided, that there is no difference.
  PairedTest test = PairedTest::kMcNemar;
};

// Where every value is 0 or 1: McNemar's exact test and Tango's interval. Else the paired bootstrap
// of both, which alone uses the options besides their coverage, and `rng`. Several comparisons at
// once want holm_adjusted, and a fork of the rng each.
//
//   a, b  one value an item, of the same items in the same order: equally many (checked)
//
// kUnsupported when there are no items, or when a value cannot be resampled: it says whose, and of
// which item. Costs O(items), or what the bootstrap's options allow.
Result<Comparison> compare(std::span<const double> a, std::span<const double> b,
                           const BootstrapOptions& options, Rng rng);

}  // namespace muster::eval
