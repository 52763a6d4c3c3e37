#pragma once

#include <string_view>

#include "base/file.h"

namespace muster::engine {

// How many cores the kernel lets this process run on.
int cores_of_mask();

// How many cores this process may keep busy: those of its affinity mask, at most what the CPU
// quotas of its cgroup and of those above it come to, rounded up. At least 1. Reads a few files.
int usable_cores();

// The same for a process that the kernel lets run on `affinity` cores, with `cgroups` as the text
// of its /proc/self/cgroup, and the hierarchies mounted under `root` (/sys/fs/cgroup). A quota that
// cannot be read limits nothing.
int cores_within(int affinity, std::string_view cgroups, const Path& root);

}  // namespace muster::engine
