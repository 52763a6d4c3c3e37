#pragma once

#include <string_view>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::wire {

// The code that goes by this word (to_string() of it). One that this program does not know is
// kFailed.
Code to_code(std::string_view word);

// An error as it crosses the wire, and back.
pb::Failure to_failure(const Error& error);
Error to_error(const pb::Failure& failure);

// What was asked for cannot work, whichever machine tries.
inline bool is_users_fault(Code code) {
  return code == Code::kUnsupported || code == Code::kDataLoss;
}

}  // namespace muster::wire
