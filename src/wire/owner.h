#pragma once

#include <string>

namespace muster::wire {

// Whose machine it is: its own where nobody said.
inline std::string owner_of(const std::string& machine, const std::string& owner) {
  return owner.empty() ? machine : owner;
}

}  // namespace muster::wire
