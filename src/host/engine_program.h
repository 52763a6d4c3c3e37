#pragma once

#include "base/file.h"

namespace muster::host {

// Where muster-engine lies: beside this program, as both are installed.
Path engine_program();

}  // namespace muster::host
