#pragma once

#include "base/result.h"
#include "wire/pb.h"

namespace muster::wire {

// An error as it crosses the wire, and back. A code that this program does not know is kFailed.
pb::Failure to_failure(const Error& error);
Error to_error(const pb::Failure& failure);

// What was asked for cannot work, whichever machine tries.
inline bool is_users_fault(Code code) {
  return code == Code::kUnsupported || code == Code::kDataLoss;
}

}  // namespace muster::wire
