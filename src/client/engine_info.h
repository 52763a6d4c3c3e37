#pragma once

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"

namespace muster::client {

// What `muster-engine info` says of a model directory; its error when it refuses the directory.
Result<Json> engine_info(const Path& engine, const Path& model);

}  // namespace muster::client
