#pragma once

#include <cstddef>
#include <functional>

namespace muster::fuzz {

// The most bytes from the heap that `run` had at once, beyond what was there before, by the
// sanitizer's own hooks: so libraries count, too. One thread.
size_t peak_bytes(const std::function<void()>& run);

}  // namespace muster::fuzz
