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

// What it costs a server to have so many nodes and a job, or a history.
struct LargePoolCost {
  bool job_done = false;
  double longest_step = 0;  // Seconds of this machine, of one event of the server and what follows.
  double mean_step = 0;
  Duration took{};  // The job, from being asked for.
};

// A pool of so many machines runs one small job; the server's database has `history` finished ones.
LargePoolCost measure_large_pool(int nodes, int history, uint64_t seed);

// Prints both; 0 when every closed line was noticed within 1 s and every silence within 10 s and
// the job was done, else 1. What a step costs is printed, not judged: it depends on this machine.
int print_detection(int nodes, uint64_t seed);

}  // namespace muster::sim
