#pragma once

#include <cstdint>

namespace muster::wire {

// Counts the versions of muster that were released (CMakeLists.txt has its name): each is one more
// than the last. A server works with machines whose release is its own, the one before or the one
// after, so that a pool can be upgraded one machine after the other. So no field of a message may
// mean anything else before it was unused for two releases.
inline constexpr uint32_t kRelease = 1;

}  // namespace muster::wire
