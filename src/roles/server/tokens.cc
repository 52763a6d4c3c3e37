#include "roles/server/tokens.h"

#include "wire/pool_role.h"

namespace muster::roles::server {

Result<pb::PoolRole> Tokens::admit(const pb::Join& join) const {
  if (join.renewal()) return join.role();
  if (local_hash_.empty() || join.token_hash() != local_hash_) {
    return fail(Code::kPermission, "the server does not know this token: ask for another one");
  }
  if (join.role() == pb::POOL_ROLE_UNSPECIFIED) return pb::POOL_ROLE_OPERATOR;
  if (!may_become(join.role(), pb::POOL_ROLE_OPERATOR)) {
    return fail(Code::kPermission, "this server does not know what such a holder is for");
  }
  return join.role();
}

}  // namespace muster::roles::server
