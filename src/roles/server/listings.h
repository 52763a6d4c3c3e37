#pragma once

#include <cstdint>
#include <string>

#include "roles/counts.h"
#include "roles/server/situation.h"

namespace muster::roles::server {

// How things stand, as messages. A list ends where a message has no more room (kMostFound); a
// researcher is told how many are left out.

// What this node is to be, as far as it is known now; `row` is the pool's. A machine of the view
// hears which runs are over but kept, the latest first: what is not named is not kept. Without a
// revision.
[[nodiscard]] pb::PoolState pool_state(const Situation& pool, const pb::PoolRow& row,
                                       const std::string& machine, int64_t now_ms);

// What goes on, and who is there. Version and wanted copies are the caller's.
[[nodiscard]] pb::PoolStatus pool_status(const Situation& pool, bool all = false);

// The same in numbers.
void count_all(const Situation& pool, Gauges& gauges);

// The latest run of each job, those that were accepted last first: as far as they go on as it is
// known here, the others as the database has `found` them.
[[nodiscard]] pb::JobList job_list(const JobTable& jobs, const FoundJobs& found);

}  // namespace muster::roles::server
