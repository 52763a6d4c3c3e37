#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "web/live/pool_now.h"

namespace muster::web {

// A run in short; `models` of its ModelPin.
Json model_json(const pb::ModelPin& model);
Json job_ref_json(const pb::JobRow& row);
// "waiting", "running", "done", "failed", "cancelled": a run waits when it is said why.
std::string job_state(const pb::JobRow& row);
// A run, as a list shows it. Of one that goes on: as it was at the last look.
Json job_json(const JobNow& job);
// With what the list leaves out. `runs`: all of the job, the latest first.
Json job_detail_json(const JobNow& job, const std::vector<pb::JobRow>& runs, int64_t reasons,
                     const std::string& event);
// The command line that asks for the same.
std::string command_of(const pb::JobRow& row);

// What pages are told of a run, and of what it scored.
Json job_event(const JobNow& job);
Json result_event(uint64_t revision, const pb::JobRow& row);

}  // namespace muster::web
