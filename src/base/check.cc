#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace muster {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "muster: invariant broken at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace muster
