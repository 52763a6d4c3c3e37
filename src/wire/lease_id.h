#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "wire/pb.h"

namespace muster::wire {

// Names one lease of a job for good: coordinators count their own under their epoch. In the order
// in which they were given.
struct LeaseId {
  uint64_t epoch = 0, number = 0;
  auto operator<=>(const LeaseId&) const = default;
};

// "2.17", for logs: the epoch and the number.
std::string name_of(const LeaseId& id);

// As it crosses the wire, and back.
pb::LeaseId to_message(const LeaseId& id);
LeaseId to_lease_id(const pb::LeaseId& id);

}  // namespace muster::wire
