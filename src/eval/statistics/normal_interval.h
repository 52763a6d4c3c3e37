#pragma once

#include "eval/statistics/interval.h"

namespace muster::eval {

// value -+ z * standard_error: the interval of a mean of many items whose values are not only 0 and
// 1 (for those: wilson_interval). All in the value's unit; it may leave the value's range.
//
//   standard_error  not negative (checked), as mean_stderr gives it
//   z               standard normal quantile, at least 0 (checked): kCoverage95.z
//
// A value or an error that is not finite gives ends that are not finite either.
Interval normal_interval(double value, double standard_error, double z);

}  // namespace muster::eval
