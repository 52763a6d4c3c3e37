#include "engine/cores/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <thread>

namespace muster::engine {
namespace {

constexpr size_t kMostBytes = 64u << 10;
constexpr double kNoLimit = 1e9;

std::string text_of(const Path& path) { return read_file(path, kMostBytes).value_or(""); }

// Version 2: "QUOTA PERIOD", in microseconds, or "max PERIOD".
double limit_of_v2(const Path& group) {
  std::istringstream text(text_of(group / "cpu.max"));
  double quota = 0, period = 0;
  return text >> quota >> period && period > 0 ? quota / period : kNoLimit;
}

// Version 1: a quota of -1 is none.
double limit_of_v1(const Path& group) {
  std::istringstream quota_text(text_of(group / "cpu.cfs_quota_us"));
  std::istringstream period_text(text_of(group / "cpu.cfs_period_us"));
  double quota = 0, period = 0;
  const bool known = quota_text >> quota && period_text >> period && quota > 0 && period > 0;
  return known ? quota / period : kNoLimit;
}

// The least limit of a group and of all above it. In a container the groups above its own, and at
// times its own, are not to be seen; what is mounted at the top is the container's then.
double least_limit(double (*limit_of)(const Path&), const Path& hierarchy, Path group) {
  double least = limit_of(hierarchy);
  for (group = group.relative_path(); !group.empty(); group = group.parent_path()) {
    least = std::min(least, limit_of(hierarchy / group));
  }
  return least;
}

bool names_cpu(const std::string& controllers) {
  std::istringstream list(controllers);
  for (std::string name; std::getline(list, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

int cores_within(int affinity, std::string_view cgroups, const Path& root) {
  double least = std::max(1, affinity);
  std::istringstream lines{std::string(cgroups)};
  for (std::string line; std::getline(lines, line);) {  // "4:cpu,cpuacct:/lab/jobs"
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const Path group = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, least_limit(limit_of_v2, root, group));
    } else if (names_cpu(controllers)) {
      for (const std::string& mount : {controllers, std::string("cpu")}) {
        least = std::min(least, least_limit(limit_of_v1, root / mount, group));
      }
    }
  }
  return std::max(1, static_cast<int>(std::ceil(least)));
}

int cores_of_mask() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  const bool known = ::sched_getaffinity(0, sizeof allowed, &allowed) == 0;
  // More cores than the set has bits: the mask is not known, the number is.
  return known ? CPU_COUNT(&allowed)
               : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

int usable_cores() {
  return cores_within(cores_of_mask(), text_of("/proc/self/cgroup"), "/sys/fs/cgroup");
}

}  // namespace muster::engine
