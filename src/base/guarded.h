#pragma once

#include <exception>
#include <new>

#include "base/result.h"

namespace muster {

// Does work that may throw (the standard library, somebody's parser, memory) where an exception
// would end the process: on a thread of ours. `work` returns a Result; what it throws becomes
// kFailed with its words.
template <typename Work>
auto guarded(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(Code::kFailed, "out of memory");
  } catch (const std::exception& error) {
    return fail(Code::kFailed, error.what());
  }
}

}  // namespace muster
