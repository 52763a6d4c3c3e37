#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "wire/pb.h"

namespace muster::wire {

// Who an envelope is from or for. `machine` is left out where there is one of that role.
inline pb::Address address(pb::Role role, std::string machine = "") {
  pb::Address out;
  out.set_role(role);
  out.set_machine(std::move(machine));
  return out;
}

inline pb::Envelope envelope_to(pb::Address to) {
  pb::Envelope out;
  *out.mutable_to() = std::move(to);
  return out;
}

inline pb::Envelope envelope_to_server() { return envelope_to(address(pb::ROLE_SERVER)); }

// What a node says to a PoolState.
inline pb::Envelope pool_state_seen(uint64_t revision) {
  pb::Envelope out = envelope_to_server();
  out.mutable_pool_state_seen()->set_revision(revision);
  return out;
}

}  // namespace muster::wire
