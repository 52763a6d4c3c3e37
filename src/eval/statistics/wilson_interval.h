#pragma once

#include <cstdint>

#include "eval/statistics/interval.h"

namespace muster::eval {

// Two-sided Wilson score interval for a proportion such as accuracy.
//
//   correct, total  item counts; 0 <= correct <= total, total >= 1 (checked)
//   z               standard normal quantile, at least 0 (checked): kCoverage95.z
//   returns         {low, high}, both in [0, 1], no unit; holds correct / total
//
// Preferred to mean +- z * stderr, which leaves [0, 1] on small shards and has no width where all
// are right or none is.
// Source: E. B. Wilson, JASA 22(158), 1927, pp. 209-212.
Interval wilson_interval(int64_t correct, int64_t total, double z);

}  // namespace muster::eval
