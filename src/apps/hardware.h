#pragma once

#include "wire/pb.h"

namespace muster::apps {

// What this machine computes with, for people who look at the pool.
pb::Hardware this_hardware();

}  // namespace muster::apps
