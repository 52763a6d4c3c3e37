#pragma once

#include <string>

#include "base/result.h"
#include "roles/role.h"

namespace muster::roles::server {

// What lets somebody in for the first time. Of each token only the hash is known here.
class Tokens {
 public:
  // `local_hash`: of the token that whoever may read the server's folder finds there: an
  // operator's, for as long as this server runs. Empty: there is none.
  explicit Tokens(std::string local_hash) : local_hash_(std::move(local_hash)) {}

  // What his certificate may say that he is. kPermission says why he gets none.
  [[nodiscard]] Result<pb::PoolRole> admit(const pb::Join& join) const;

 private:
  std::string local_hash_;
};

}  // namespace muster::roles::server
