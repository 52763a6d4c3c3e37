#pragma once

#include <vector>

#include "base/json.h"
#include "io/database/archive.h"
#include "web/live/pool_now.h"

namespace muster::web {

// The pool at its last look; `counts`: its runs by state, as the database has them.
Json pool_json(const PoolNow& now, const std::vector<io::Archive::Count>& counts);
// A character a machine, in the order of their numbers.
Json pool_map_json(const PoolNow& now, const std::string& event);
Json pool_event(const PoolNow& now, const std::vector<io::Archive::Count>& counts);

// "computing".
std::string_view to_word(MachineState state);
// As everybody may see it.
Json machine_json(const PoolNow& now, const MachineNow& machine);
Json machine_event(const PoolNow& now, const MachineNow& machine);

}  // namespace muster::web
