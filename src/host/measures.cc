#include "host/measures.h"

#include <algorithm>

namespace muster::host {

void Durations::add(Duration took) {
  const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), took);
  ++counts_[static_cast<size_t>(bound - kBounds.begin())];
  sum_ += took;
}

}  // namespace muster::host
