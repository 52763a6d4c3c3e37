#pragma once

#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "roles/role.h"

namespace muster::roles {

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

// An error as it crosses the wire, and back.
pb::Failure to_failure(const Error& error);
Error to_error(const pb::Failure& failure);

// What was asked for cannot work, whichever machine tries.
inline bool is_users_fault(Code code) {
  return code == Code::kUnsupported || code == Code::kDataLoss;
}

inline bool same_key(const pb::JobKey& a, const pb::JobKey& b) {
  return a.job() == b.job() && a.run() == b.run() && a.epoch() == b.epoch();
}

// Of whatever names a job and a run: keys, records, live jobs.
template <typename A, typename B>
bool same_run(const A& a, const B& b) {
  return a.job() == b.job() && a.run() == b.run();
}

using LeaseId = std::pair<uint64_t, uint64_t>;  // {epoch, number}
pb::LeaseId to_message(const LeaseId& id);
LeaseId to_lease_id(const pb::LeaseId& id);

// What a node says to a PoolState.
inline pb::Envelope pool_state_seen(uint64_t revision) {
  pb::Envelope out = envelope_to_server();
  out.mutable_pool_state_seen()->set_revision(revision);
  return out;
}

// The assignment that a row is under.
pb::JobKey key_of(const pb::JobRow& row);

// Whose machine it is: its own where nobody said.
inline const std::string& owner_of(const std::string& machine, const std::string& owner) {
  return owner.empty() ? machine : owner;
}

// "3fa9c2..." of a job or machine, for a console.
inline std::string short_id(const std::string& id) { return id.substr(0, 8); }
std::string short_ids(const std::set<std::string>& ids);  // "a, b, c".

}  // namespace muster::roles
