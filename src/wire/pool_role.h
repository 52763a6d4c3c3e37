#pragma once

#include <string_view>

#include "wire/pb.h"

namespace muster::wire {

// What a holder of a token or a certificate may be, as a command line and a certificate say it:
// "worker", "coordinator", "researcher", "operator"; "" for none of them.
std::string_view to_word(pb::PoolRole role);
// POOL_ROLE_UNSPECIFIED: no role goes by this word.
pb::PoolRole to_pool_role(std::string_view word);

// Whether a node of this kind may have a line by such a certificate.
bool may_connect(pb::PoolRole role, pb::RoleFlag flag);
// Whether its holder may ask the pool for something, by the calls that anybody has.
bool may_ask(pb::PoolRole role);
// Whether a token of `has` may be traded for a certificate of `wanted`: an operator's for any.
bool may_become(pb::PoolRole wanted, pb::PoolRole has);

}  // namespace muster::wire
