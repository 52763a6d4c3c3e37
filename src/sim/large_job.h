#pragma once

#include <cstdint>

#include "base/time.h"

namespace muster::sim {

// What became of one large job in a pool where nothing fails.
struct LargeJobRun {
  bool is_done = false;
  Duration took{};             // From being asked for.
  uint64_t bytes_put = 0;      // Of records, to both stores, each once.
  size_t most_on_the_way = 0;  // Bytes of records from one writer to one store at a time.
  int lines_lost = 0;          // Nodes whose line at the end is not that of the beginning.
  uint64_t left_out = 0;       // Envelopes that found no room on a line.
};

// A job of so many items of 3 kB, with two stores behind lines of 2 MB/s that have io/mesh's
// limits; one's disk hangs for 5 s now and then. What is on its way to a store is seen by a
// listener between each writer's roles and its line. A pure function of its arguments; less than a
// millisecond an item.
LargeJobRun run_large_job(int items, uint64_t seed);

// Prints it; 0 when the job is done, no line was given up, nothing was left out and no writer ever
// had more than Outbox::kWindowBytes on their way to a store, else 1.
int print_large_job(int items, uint64_t seed);

}  // namespace muster::sim
