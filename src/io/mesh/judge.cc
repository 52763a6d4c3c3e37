#include "io/mesh/judge.h"

#include "io/mesh/limits.h"

namespace muster::io {
namespace {

bool may_speak_as(pb::Role role, pb::RoleFlag flag) {
  const bool coordinator = flag == pb::ROLE_FLAG_COORDINATOR;
  if (role == pb::ROLE_COORDINATOR) return coordinator;
  return !coordinator && (role == pb::ROLE_WORKER || role == pb::ROLE_STORAGE);
}

// What the line itself, or the server alone, says to a node.
bool is_servers(const pb::Envelope& envelope) {
  return envelope.has_challenge() || envelope.has_refused() || envelope.has_pool_state();
}

}  // namespace

std::optional<std::string> why_refused(const Speaker& speaker, const pb::Envelope& envelope) {
  if (envelope.ByteSizeLong() > kMaxEnvelopeBytes) return "it is larger than 1 MiB";
  if (envelope.body_case() == pb::Envelope::BODY_NOT_SET) return "it says nothing";
  if (is_servers(envelope)) return "only the server says that";
  if (envelope.has_heartbeat() && envelope.to().role() == pb::ROLE_SERVER) return {};
  if (!may_speak_as(envelope.from().role(), speaker.flag)) return "it speaks in another's role";
  return {};
}

}  // namespace muster::io
