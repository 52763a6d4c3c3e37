#include "base/result.h"

namespace muster {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return "invalid argument";
    case Code::kUnsupported:
      return "unsupported";
    case Code::kNotFound:
      return "not found";
    case Code::kUnavailable:
      return "unavailable";
    case Code::kTryLater:
      return "try later";
    case Code::kPermission:
      return "not permitted";
    case Code::kDisk:
      return "disk";
    case Code::kDataLoss:
      return "data loss";
    case Code::kFailed:
      return "failed";
    case Code::kInterrupted:
      return "interrupted";
  }
  return "unknown";
}

int exit_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 2;
    case Code::kUnsupported:
    case Code::kNotFound:
    case Code::kDataLoss:
      return 78;
    case Code::kUnavailable:
      return 69;
    case Code::kTryLater:
      return 75;
    case Code::kPermission:
      return 77;
    case Code::kDisk:
      return 74;
    case Code::kFailed:
      return 1;
    case Code::kInterrupted:
      return 130;
  }
  return 1;
}

}  // namespace muster
