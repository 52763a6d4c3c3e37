#pragma once

// Stops the process at once when our own code broke an invariant, in release builds too. Never
// reached by data from outside: that is refused with an Error before. A crash is a fine answer
// to a broken invariant, because the pool is built to lose a process.
#define MUSTER_CHECK(condition)                               \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      ::muster::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)

namespace muster {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace muster
