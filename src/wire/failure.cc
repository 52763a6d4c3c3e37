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

pb::Failure to_failure(const Error& error) {
  pb::Failure failure;
  failure.set_code(std::string(to_string(error.code)));
  failure.set_message(error.message);
  return failure;
}

Error to_error(const pb::Failure& failure) {
  for (Code code : kCodes) {
    if (to_string(code) == failure.code()) return {code, failure.message()};
  }
  return {Code::kFailed, failure.message()};
}

}  // namespace muster::wire
