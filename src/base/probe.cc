#include "base/probe.h"

#include <map>
#include <string>

// The linker gathers the probes of all translation units in one section and names its ends.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the names are the linker's.
extern muster::Probe __start_muster_probes[] __attribute__((weak));
extern muster::Probe __stop_muster_probes[] __attribute__((weak));
// NOLINTEND(bugprone-reserved-identifier)
}

namespace muster {

std::vector<Probe> probes() {
  std::map<std::string_view, Probe> by_name;
  for (const Probe* probe = __start_muster_probes; probe != __stop_muster_probes; ++probe) {
    by_name.try_emplace(probe->name, Probe{probe->name, 0}).first->second.reached += probe->reached;
  }
  std::vector<Probe> out;
  for (const auto& [name, probe] : by_name) out.push_back(probe);
  return out;
}

}  // namespace muster
