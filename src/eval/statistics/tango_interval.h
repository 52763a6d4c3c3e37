#pragma once

#include "eval/statistics/interval.h"
#include "eval/statistics/paired_counts.h"

namespace muster::eval {

// Score interval for the difference of two proportions on the same items: of B's accuracy minus
// A's.
//
//   counts   of one item at least, none of them negative (checked)
//   z        standard normal quantile, at least 0 (checked): kCoverage95.z
//   returns  {low, high}, both in [-1, 1], no unit; holds the difference observed
//
// What Wilson's interval is for one proportion: it stays in the range, and has a width where A and
// B answered alike. 0 is within as long as (only_a - only_b)^2 <= z^2 (only_a + only_b), which is
// McNemar's test without its exact tail: near the edge p may be above 0.05 where the interval
// leaves 0 out. Costs some sixty steps an end; both are right to 1e-12.
//
// Source: T. Tango, Statistics in Medicine 17(8), 1998, pp. 891-908.
Interval tango_interval(const PairedCounts& counts, double z);

}  // namespace muster::eval
