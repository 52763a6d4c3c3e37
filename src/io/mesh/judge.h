#pragma once

#include <optional>
#include <string>

#include "roles/role.h"

namespace muster::io {

// Who speaks on a line, as it has proven.
struct Speaker {
  std::string machine;
  pb::RoleFlag flag = pb::ROLE_FLAG_UNSPECIFIED;
};

// Why what came in from a node is not passed on, to the server or to anyone; nothing when it may
// be. The one place where that is decided.
std::optional<std::string> why_refused(const Speaker& speaker, const pb::Envelope& envelope);

}  // namespace muster::io
