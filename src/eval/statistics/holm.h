#pragma once

#include <span>
#include <vector>

namespace muster::eval {

// Holm's step-down correction: p values of several tests, adjusted so that the chance of one false
// finding or more among all of them stays below the level each is held against.
//
//   p_values  each in [0, 1] or NaN (checked): a test that could not be made, which is none. It
//             stays NaN and does not count among the tests.
//   returns   in the order given; adjusted values are not below those given, at most 1, and in the
//             order of size that those given are in
//
// Costs O(n log n).
// Source: S. Holm, Scandinavian Journal of Statistics 6(2), 1979, pp. 65-70.
std::vector<double> holm_adjusted(std::span<const double> p_values);

}  // namespace muster::eval
