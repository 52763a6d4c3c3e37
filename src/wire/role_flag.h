#pragma once

#include <string_view>

#include "wire/pb.h"

namespace muster::wire {

// What a node may be used for, as --role and `muster status` say it: "auto", "compute", "storage";
// "coordinator" for what no flag says. Which roles it has then: may_speak_as() (authority.h).
std::string_view to_word(pb::RoleFlag flag);
// ROLE_FLAG_UNSPECIFIED: no flag goes by this word.
pb::RoleFlag to_role_flag(std::string_view word);

}  // namespace muster::wire
