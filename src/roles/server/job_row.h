#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// The id of a job: a hash of everything that determines its scores, and with how few votes it may
// end (--quorum_wait).
// kUnsupported for a task that is not known.
Result<std::string> job_id(const pb::JobRequest& request, const pb::ModelPin& pin);

// It was this very submission that began one of the job's runs.
bool began(const pb::JobRow& row, const pb::Submit& submit);

// What a row becomes. Its epoch never goes back, and rises with each change after which whoever had
// the run before has it no more.

// The run that the submission begins, of what it was completed to (`request`); `before`: the run
// before it, empty if there was none. Nobody has it yet.
pb::JobRow next_run(const std::string& job, const pb::JobRow& before, const pb::Submit& submit,
                    pb::JobRequest request, const pb::ModelPin& pin);
// Under an epoch above all before. The row remembers who had it under which, the latest few.
pb::JobRow assigned(pb::JobRow row, const std::string& coordinator, uint64_t epoch);
// As its coordinator says.
pb::JobRow finished(pb::JobRow row, const pb::Finish& finish, int64_t now_ms);
// Whoever has it.
pb::JobRow ended(pb::JobRow row, pb::JobState state, const std::string& reason, int64_t now_ms);

}  // namespace muster::roles::server
