#pragma once

#include <cstdint>
#include <utility>

#include "wire/pb.h"

namespace muster::wire {

using LeaseId = std::pair<uint64_t, uint64_t>;  // {epoch, number}
pb::LeaseId to_message(const LeaseId& id);
LeaseId to_lease_id(const pb::LeaseId& id);

}  // namespace muster::wire
