#pragma once

#include <string>
#include <string_view>

#include "wire/pb.h"

namespace muster::wire {

// What a holder of a token or a certificate may be, as a command line and a certificate say it:
// "worker", "coordinator", "researcher", "operator"; "" for none of them.
std::string_view to_word(pb::PoolRole role);
// POOL_ROLE_UNSPECIFIED: no role goes by this word.
pb::PoolRole to_pool_role(std::string_view word);

// Who has this role, by a token of this id.
pb::Holder make_holder(pb::PoolRole role, const std::string& owner = "",
                       const std::string& token = "");

// A machine's, who has a line; otherwise a person's, who asks.
bool is_node(pb::PoolRole role);
// Whether a node of this kind may have a line by such a certificate.
bool may_connect(pb::PoolRole role, pb::RoleFlag flag);
// Whether a token of `has` may be traded for a certificate of `wanted`: an operator's for any.
bool may_become(pb::PoolRole wanted, pb::PoolRole has);

}  // namespace muster::wire
