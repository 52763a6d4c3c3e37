#pragma once

#include <cstdint>

namespace muster::eval {

// McNemar's exact test of whether A and B are right equally often: the two-sided p value, from the
// items on which only one of them is right. Were they equal, each such item would be A's or B's
// like the throw of a coin. With X binomial(only_a + only_b, 1/2):
//
//   p = min(1, 2 P(X <= min(only_a, only_b)))
//
// 1 when both counts are equal, or there are none; 0 where it is too small for a double.
//
//   only_a, only_b  item counts, not negative (checked)
//
// Costs about 25 sqrt(only_a + only_b) steps. Of a million items p is right to 1e-12 of itself.
// Source: Q. McNemar, Psychometrika 12(2), 1947, pp. 153-157.
double mcnemar_exact(int64_t only_a, int64_t only_b);

}  // namespace muster::eval
