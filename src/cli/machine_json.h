#pragma once

#include "base/json.h"
#include "wire/pb.h"

namespace muster::cli {

// A machine as scripts read it.
Json machine_json(const pb::Machine& machine);

}  // namespace muster::cli
