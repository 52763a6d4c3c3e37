#include "wire/failure.h"

#include <array>

namespace muster::wire {
namespace {

constexpr std::array kCodes = {
    Code::kInvalidArgument, Code::kUnsupported, Code::kNotFound, Code::kUnavailable,
    Code::kTryLater,        Code::kPermission,  Code::kDisk,     Code::kDataLoss,
    Code::kFailed,          Code::kInterrupted,
};

}  // namespace

Code to_code(std::string_view word) {
  for (Code code : kCodes) {
    if (to_string(code) == word) return code;
  }
  return Code::kFailed;
}

pb::Failure to_failure(const Error& error) {
  pb::Failure failure;
  failure.set_code(std::string(to_string(error.code)));
  failure.set_message(error.message);
  return failure;
}

Error to_error(const pb::Failure& failure) { return {to_code(failure.code()), failure.message()}; }

}  // namespace muster::wire
