#include "roles/coordinator/leases.h"

#include <algorithm>

#include "base/check.h"

namespace muster::roles::coordinator {
namespace {

// What there is under a key; the empty set for one that is not there.
template <typename Key, typename Value>
const std::set<Value>& under(const std::map<Key, std::set<Value>>& sets, const Key& key) {
  static const std::set<Value> kNone;
  const auto found = sets.find(key);
  return found == sets.end() ? kNone : found->second;
}

template <typename Key, typename Value>
void take_out(std::map<Key, std::set<Value>>& sets, const Key& key, const Value& value) {
  const auto found = sets.find(key);
  if (found == sets.end()) return;
  found->second.erase(value);
  if (found->second.empty()) sets.erase(found);
}

}  // namespace

LeaseId Leases::add(Lease lease) {
  while (leases_.contains({epoch_, next_})) ++next_;
  const LeaseId id{epoch_, next_++};
  adopt(id, std::move(lease));
  return id;
}

void Leases::adopt(const LeaseId& id, Lease lease) {
  ++changes_;
  of_machine_[lease.machine].insert(id);
  for (uint32_t item : lease.items) holders_[item].insert(lease.machine);
  MUSTER_CHECK(leases_.emplace(id, std::move(lease)).second);
}

std::optional<Lease> Leases::end(const LeaseId& id) {
  const auto found = leases_.find(id);
  if (found == leases_.end()) return std::nullopt;
  ++changes_;
  std::optional<Lease> lease = std::move(found->second);
  leases_.erase(found);
  take_out(of_machine_, lease->machine, id);
  for (uint32_t item : lease->items) {
    if (!has_another(lease->machine, item)) take_out(holders_, item, lease->machine);
  }
  return lease;
}

// A machine that shows leases of several epochs may hold an item twice.
bool Leases::has_another(const std::string& machine, uint32_t item) const {
  const auto& ids = of(machine);
  return std::any_of(ids.begin(), ids.end(), [&](const LeaseId& id) {
    const auto& items = leases_.at(id).items;
    return std::find(items.begin(), items.end(), item) != items.end();
  });
}

void Leases::renew(const LeaseId& id, Instant deadline) { leases_.at(id).deadline = deadline; }

void Leases::end_by(const LeaseId& id, Instant latest) {
  Lease& lease = leases_.at(id);
  lease.latest = std::min(lease.latest, latest);
}

void Leases::note_copy(const LeaseId& id, const LeaseId& copy) { leases_.at(id).copy = copy; }

void Leases::excuse(Instant until) {
  for (auto& [id, lease] : leases_) lease.deadline = std::max(lease.deadline, until);
}

const Lease* Leases::find(const LeaseId& id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

const std::set<LeaseId>& Leases::of(const std::string& machine) const {
  return under(of_machine_, machine);
}

const std::set<std::string>& Leases::holders(uint32_t item) const { return under(holders_, item); }

void Leases::check() const {
  size_t named = 0;
  for (const auto& [machine, ids] : of_machine_) {
    MUSTER_CHECK(!ids.empty());
    for (const LeaseId& id : ids) MUSTER_CHECK(leases_.at(id).machine == machine);
    named += ids.size();
  }
  MUSTER_CHECK(named == leases_.size());
  std::map<uint32_t, std::set<std::string>> holders;
  for (const auto& [id, lease] : leases_) {
    for (uint32_t item : lease.items) holders[item].insert(lease.machine);
  }
  MUSTER_CHECK(holders == holders_);
}

}  // namespace muster::roles::coordinator
