#include "roles/message.h"

#include <array>

namespace muster::roles {
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

pb::JobKey key_of(const pb::JobRow& row) {
  pb::JobKey key;
  key.set_job(row.job());
  key.set_run(row.run());
  key.set_epoch(row.epoch());
  return key;
}

pb::LeaseId to_message(const LeaseId& id) {
  pb::LeaseId out;
  out.set_epoch(id.first);
  out.set_number(id.second);
  return out;
}

LeaseId to_lease_id(const pb::LeaseId& id) { return {id.epoch(), id.number()}; }

std::string short_ids(const std::set<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + short_id(id);
  return text;
}

}  // namespace muster::roles
