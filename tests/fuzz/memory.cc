#include "memory.h"

#include <algorithm>
#include <cstdint>

// Of clang's sanitizer/allocator_interface.h: gcc 12 has the functions, and not the header.
extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                              void (*)(const volatile void*));
size_t __sanitizer_get_allocated_size(const volatile void*);
}

namespace muster::fuzz {
namespace {

bool counts = false;
int64_t bytes = 0, peak = 0;

void count_malloc(const volatile void*, size_t size) {
  if (!counts) return;
  bytes += static_cast<int64_t>(size);
  peak = std::max(peak, bytes);
}

void count_free(const volatile void* memory) {
  if (!counts || memory == nullptr) return;
  bytes -= static_cast<int64_t>(__sanitizer_get_allocated_size(memory));
}

}  // namespace

size_t peak_bytes(const std::function<void()>& run) {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
  (void)installed;
  bytes = peak = 0;
  counts = true;
  run();
  counts = false;
  return static_cast<size_t>(peak);
}

}  // namespace muster::fuzz
