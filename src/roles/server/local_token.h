#pragma once

#include <string>

#include "wire/pb.h"

namespace muster::roles::server {

// A token that lies in a folder of the server's machine: whoever may read it there is let in, for
// as long as this server runs.
struct LocalToken {
  std::string hash;  // SHA-256 of its secret.
  pb::PoolRole role = pb::POOL_ROLE_OPERATOR;
  std::string owner;  // What a token has that was made with --owner.
};

}  // namespace muster::roles::server
