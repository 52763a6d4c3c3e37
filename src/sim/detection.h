#pragma once

#include <cstdint>

#include "base/time.h"

namespace muster::sim {

struct Detection {
  int lines_closed = 0, silent = 0;              // Machines that were struck.
  int noticed_closed = 0, noticed_silent = 0;    // Of those: that the server said were gone.
  Duration longest_closed{}, longest_silence{};  // From the strike to that.
  int wrongly = 0;                               // Healthy ones it said were gone.
};

// How soon a server with so many nodes notices that a process was killed (its line closes) and that
// a machine went silent (nothing passes any more): a hundred of each, at random instants. Clocks
// drift by up to 2 %, envelopes take up to half a second.
Detection measure_detection(int nodes, uint64_t seed);

// Prints it; 0 when every closed line was noticed within 1 s and every silence within 10 s, else 1.
int print_detection(int nodes, uint64_t seed);

}  // namespace muster::sim
