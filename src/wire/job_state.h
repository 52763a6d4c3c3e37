#pragma once

#include "wire/pb.h"

namespace muster::wire {

// Nothing comes after it but another run.
inline bool is_over(pb::JobState state) {
  return state == pb::JOB_STATE_DONE || state == pb::JOB_STATE_FAILED ||
         state == pb::JOB_STATE_CANCELLED;
}

}  // namespace muster::wire
