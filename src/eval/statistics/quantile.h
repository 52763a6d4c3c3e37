#pragma once

#include <span>

namespace muster::eval {

// The quantile of a sample by linear interpolation between its order statistics: definition 7, as
// numpy.quantile and R have it.
//
//   sorted       ascending, not empty (checked), finite
//   probability  in [0, 1] (checked)
//
// Source: R. J. Hyndman, Y. Fan, The American Statistician 50(4), 1996, pp. 361-365.
double sorted_quantile(std::span<const double> sorted, double probability);

}  // namespace muster::eval
