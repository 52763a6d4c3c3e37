#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace muster::sim {

struct DetectionOptions {
  int nodes = 0;
  uint64_t seed = 1;
  // Jobs that are over, in the database that the server starts from, and fifty that go on beside
  // them; none: no job at all.
  std::optional<int> jobs_over;
};

struct Detection {
  int lines_closed = 0, silent = 0;              // Machines that were struck.
  int noticed_closed = 0, noticed_silent = 0;    // Of those: that the server said were gone.
  Duration longest_closed{}, longest_silence{};  // From the strike to that.
  int wrongly = 0;                               // Healthy ones it said were gone.
  uint64_t heartbeats = 0;                       // That nodes said while they were struck.
  double server_seconds = 0;                     // CPU time of the server's process meanwhile.
  // Of this process: all nodes and the database are there; a server has started on it; at the end.
  double mib_before = 0, mib_started = 0, mib_at_end = 0;
};

// How soon a server with so many nodes notices that a process was killed (its line closes) and that
// a machine went silent (nothing passes any more): a hundred of each, at random instants. Clocks
// drift by up to 2 %, envelopes take up to half a second.
//
// What a heartbeat costs is all that the server's process does, divided by the heartbeats that it
// hears: sending its own is in it, and whatever it finds to do beside.
Detection measure_detection(const DetectionOptions& options);

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
// the job was done, else 1. What time and memory it costs is printed, not judged: it depends on
// this machine.
int print_detection(const DetectionOptions& options);

}  // namespace muster::sim
