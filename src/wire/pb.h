#pragma once

#include "muster/v1/envelope.pb.h"

namespace muster::pb {
using namespace muster::v1;  // The wire's messages, used directly.
}
