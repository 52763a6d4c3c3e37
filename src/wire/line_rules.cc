#include "wire/line_rules.h"

#include "wire/authority.h"
#include "wire/bounds.h"

namespace muster::wire {
namespace {

std::string name_of(pb::Role role) {
  switch (role) {
    case pb::ROLE_UNSPECIFIED:
      return "a node";
    case pb::ROLE_SERVER:
      return "the server";
    case pb::ROLE_COORDINATOR:
      return "a coordinator";
    case pb::ROLE_WORKER:
      return "a worker";
    case pb::ROLE_STORAGE:
      return "a storage node";
    case pb::ROLE_CLIENT:
      return "a researcher";
    default:
      return "nobody";
  }
}

std::string name_of(pb::Envelope::BodyCase body) {
  return pb::Envelope::GetDescriptor()->FindFieldByNumber(body)->message_type()->name();
}

}  // namespace

Verdict judge(const pb::Envelope& envelope, pb::RoleFlag flag) {
  const pb::Role from = envelope.from().role(), to = envelope.to().role();
  const auto body = envelope.body_case();
  if (body == pb::Envelope::BODY_NOT_SET) return {};
  if (!may_speak_as(from, flag)) {
    return {false, name_of(body) + " as " + name_of(from) + ", which this machine is not"};
  }
  if (!may_say(from, to, body)) {
    return {false, name_of(body) + " from " + name_of(from) + " to " + name_of(to)};
  }
  const Status checked = check_bounds(envelope);
  if (!checked) return {false, checked.error().message};
  return {true, ""};
}

}  // namespace muster::wire
