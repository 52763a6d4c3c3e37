#include "engine/program/numeric_class.h"

#include <torch/headeronly/version.h>

namespace muster::engine {

std::string numeric_class() {
  __builtin_cpu_init();
  const char* features = __builtin_cpu_supports("avx512f") ? "avx512"
                         : __builtin_cpu_supports("avx2")  ? "avx2"
                                                           : "sse2";
  return std::string("approximate-float32-") + features +
         "-muster" MUSTER_VERSION "-torch" TORCH_VERSION;
}

}  // namespace muster::engine
