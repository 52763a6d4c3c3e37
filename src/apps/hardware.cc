#include "apps/hardware.h"

#include <unistd.h>

#include <fstream>
#include <string>

#include "base/printable.h"
#include "engine/cores/usable_cores.h"

namespace muster::apps {
namespace {

constexpr size_t kMostName = 60;

// "model name : AMD EPYC 7B13"; empty where the kernel does not say.
std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : printable(line.substr(colon + 2), kMostName);
  }
  return "";
}

}  // namespace

pb::Hardware this_hardware() {
  pb::Hardware hardware;
  hardware.set_cores(static_cast<uint32_t>(engine::usable_cores()));
  const long pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) {
    hardware.set_memory_bytes(static_cast<uint64_t>(pages) * static_cast<uint64_t>(page));
  }
  hardware.set_cpu(processor());
  return hardware;
}

}  // namespace muster::apps
