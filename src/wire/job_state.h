#pragma once

#include <string_view>

#include "wire/pb.h"

namespace muster::wire {

// Nothing comes after it but another run.
inline bool is_over(pb::JobState state) {
  return state == pb::JOB_STATE_DONE || state == pb::JOB_STATE_FAILED ||
         state == pb::JOB_STATE_CANCELLED;
}

// As people, databases and metrics have it: "running"; "unknown" for none of them.
constexpr std::string_view to_word(pb::JobState state) {
  switch (state) {
    case pb::JOB_STATE_RUNNING:
      return "running";
    case pb::JOB_STATE_DONE:
      return "done";
    case pb::JOB_STATE_FAILED:
      return "failed";
    case pb::JOB_STATE_CANCELLED:
      return "cancelled";
    default:
      return "unknown";
  }
}

}  // namespace muster::wire
