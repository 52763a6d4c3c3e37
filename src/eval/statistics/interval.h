#pragma once

namespace muster::eval {

// From `low` to `high`, both within; in the unit of what it is an interval of.
struct Interval {
  double low = 0, high = 0;

  bool operator==(const Interval&) const = default;
};

}  // namespace muster::eval
