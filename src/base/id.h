#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace muster {

// Distinct ids are distinct types, so swapped arguments do not compile:
//   using LeaseId = Id<struct LeaseTag, uint64_t>;
template <typename Tag, typename Value = std::string>
struct Id {
  Value value{};
  auto operator<=>(const Id&) const = default;
};

// A machine's id: hex of the first 8 bytes of its public key's SHA-256.
using MachineId = Id<struct MachineTag>;
// A job's id: hex of a hash of everything that determines its scores.
using JobId = Id<struct JobTag>;

}  // namespace muster
