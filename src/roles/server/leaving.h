#pragma once

#include <string>

#include "roles/server/nodes.h"
#include "roles/server/standings.h"

namespace muster::roles::server {

// Whether the machine is given nothing new, since it ends soon or an operator drains it: no lease,
// and no copy to keep. What it has it works off, and hands over.
[[nodiscard]] inline bool is_leaving(const Nodes& nodes, const Standings& standings,
                                     const std::string& machine) {
  return nodes.leaving().contains(machine) || standings.draining().contains(machine);
}

}  // namespace muster::roles::server
