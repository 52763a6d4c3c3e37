#pragma once

#include <string>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// The id of a job: a hash of everything that determines its scores, and with how few votes it may
// end (--quorum_wait).
// kUnsupported for a task that is not known.
Result<std::string> job_id(const pb::JobRequest& request, const pb::ModelPin& pin);

bool is_over(pb::JobState state);

}  // namespace muster::roles::server
