#pragma once

#include <cstddef>
#include <vector>

#include "base/rng.h"

namespace muster::eval {

// In [0, 1), in steps of a millionth.
inline double uniform(Rng& rng) { return static_cast<double>(rng.below(1'000'000)) / 1e6; }

inline std::vector<double> uniform_values(size_t count, Rng& rng) {
  std::vector<double> values(count);
  for (double& value : values) value = uniform(rng);
  return values;
}

}  // namespace muster::eval
