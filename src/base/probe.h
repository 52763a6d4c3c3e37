#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace muster {

// A rare path that a test or the simulator should reach. Counts how often it was; costs one
// increment. Probes of one process are counted by its one thread that steps the roles.
struct Probe {
  const char* name;
  uint64_t reached;
};

// Every probe in this program, reached or not, in order of name; one entry a name.
std::vector<Probe> probes();

}  // namespace muster

// MUSTER_PROBE("grant crosses renewal"): this line was reached.
#define MUSTER_PROBE(text)                                                                    \
  do {                                                                                        \
    __attribute__((section("muster_probes"), used)) static ::muster::Probe probe = {text, 0}; \
    ++probe.reached;                                                                          \
  } while (false)
