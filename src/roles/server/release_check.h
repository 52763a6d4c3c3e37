#pragma once

#include <string>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// Of the server: its name and its number (wire/release.h).
struct Release {
  std::string version;
  uint32_t number = 0;
};

// Whether a machine that says this of itself works with the server: at most one release apart.
// kUnsupported names both versions and what upgrades the older one.
[[nodiscard]] Status may_work_together(const pb::Hello& hello, const Release& own);

}  // namespace muster::roles::server
