#pragma once

#include <string>

#include "base/result.h"
#include "interaction/stage.h"

namespace muster::interaction {

// Does what a command of a script says, such as "job items=4 redundancy=2": returns what it prints.
// What can be said is in the table of commands.cc. A command that is not in it, or a setting or a
// word that does not fit there, is an error, and nothing was done.
Result<std::string> run_command(Stage& stage, const std::string& text);

}  // namespace muster::interaction
