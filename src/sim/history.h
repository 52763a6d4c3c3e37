#pragma once

#include "sim/disk.h"

namespace muster::sim {

// How far back the jobs of a history go: twice as far as records are kept.
constexpr Duration kHistory = 2 * roles::server::kRetain;

// Gives a server's database jobs that are over, as a pool has them after a while: each with its
// result, ended at times that are spread evenly over kHistory before `now_ms`. So the records of
// every other one are kept, and now and then one's time comes.
//
//   now_ms  Unix time at which the server starts; at least kHistory
void add_jobs_that_are_over(ServerDisk& database, int count, int64_t now_ms);

// The same of jobs that go on: accepted at `now_ms`, and nobody has them yet.
void add_jobs_that_go_on(ServerDisk& database, int count, int64_t now_ms);

}  // namespace muster::sim
