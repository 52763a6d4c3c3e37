#include "eval/statistics/normal_interval.h"

#include "base/check.h"

namespace muster::eval {

Interval normal_interval(double value, double standard_error, double z) {
  MUSTER_CHECK(!(standard_error < 0) && z >= 0);
  return {value - z * standard_error, value + z * standard_error};
}

}  // namespace muster::eval
