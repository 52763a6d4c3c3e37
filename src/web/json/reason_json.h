#pragma once

#include "base/json.h"
#include "wire/pb.h"

namespace muster::web {

// Why something waited, was refused or did not count.
Json reason_json(const pb::Reason& reason);

}  // namespace muster::web
