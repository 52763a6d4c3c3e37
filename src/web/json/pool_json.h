#pragma once

#include "base/json.h"
#include "web/live/pool_now.h"

namespace muster::web {

// The pool at its last look.
Json pool_json(const PoolNow& now);
// A character a machine, in the order of their numbers.
Json pool_map_json(const PoolNow& now, const std::string& event);
Json pool_event(const PoolNow& now);

// "computing".
std::string_view to_word(MachineState state);
// As everybody may see it.
Json machine_json(const PoolNow& now, const MachineNow& machine);
Json machine_event(const PoolNow& now, const MachineNow& machine);

}  // namespace muster::web
