#pragma once

#include <cstdint>

#include "base/file.h"
#include "base/result.h"
#include "identity/authority.h"

namespace muster::io {

// The authority of the pool whose server has this folder: authority.crt, and authority.key, which
// is for nobody else (0600). Made when there is none. kDisk: it cannot be read or written, and what
// to do.
Result<identity::Authority> open_authority(const Path& folder, int64_t unix_seconds);

}  // namespace muster::io
