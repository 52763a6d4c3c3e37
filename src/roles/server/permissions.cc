#include "roles/server/permissions.h"

#include <string>

#include "wire/pool_role.h"

namespace muster::roles::server {
namespace {

bool is_for_operators(const pb::Envelope& call) {
  switch (call.body_case()) {
    case pb::Envelope::kSubmit:
    case pb::Envelope::kWatch:
    case pb::Envelope::kListJobs:
    case pb::Envelope::kGetStatus:
    case pb::Envelope::kCancelJob:
    case pb::Envelope::kWhy:
      return false;
    default:
      return true;
  }
}

}  // namespace

Status may_ask(const pb::Envelope& call) {
  const pb::PoolRole role = call.holder().role();
  if (role == pb::POOL_ROLE_OPERATOR) return {};
  if (role != pb::POOL_ROLE_RESEARCHER) {
    return fail(Code::kPermission, "a " + std::string(wire::to_word(role)) +
                                       "'s certificate asks for nothing: that needs a "
                                       "researcher's token");
  }
  if (!is_for_operators(call)) return {};
  return fail(Code::kPermission, "only an operator of the pool may do that");
}

std::string researcher_of(const pb::Holder& holder) {
  return holder.role() == pb::POOL_ROLE_RESEARCHER ? holder.owner() : "";
}

Status may_cancel(const pb::Holder& holder, const pb::JobRow& job) {
  if (holder.role() == pb::POOL_ROLE_OPERATOR) return {};
  if (!job.researcher().empty() && holder.owner() == job.researcher()) return {};
  if (job.researcher().empty())
    return fail(Code::kPermission, "only an operator may cancel that job");
  return fail(Code::kPermission,
              "that job is of " + job.researcher() + ": they or an operator may cancel it");
}

}  // namespace muster::roles::server
