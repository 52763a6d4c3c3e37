#include "roles/coordinator/leasing.h"

#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/allocation.h"
#include "roles/coordinator/grant.h"
#include "roles/coordinator/voters.h"
#include "wire/envelope.h"
#include "wire/short_id.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kChosenFor = seconds(30);

}  // namespace

void Leasing::grant_all(Instant now, const Situation& s, Effects& effects) {
  if (!has_changed() && (due_ > now || due_ == Instant())) {
    if (due_ > now) effects.wake_by(due_);
    return;
  }
  if (items_.rules().classes.empty()) return;
  seen_ = changes();
  due_ = {};
  draw_voters(now, s, effects);
  for (const std::string& name : idle_machines(now, effects)) {
    if (auto shard = next_shard(s, name, now, rng_)) {
      (void)grant(std::move(*shard), effects);
    } else {
      copy_oldest(now, s, name, effects);
    }
  }
}

void Leasing::draw_voters(Instant now, const Situation& s, Effects& effects) {
  for (uint32_t i : items_.by_lot()) {
    const Item& item = items_[i];
    const bool is_at_it = leases_.holders(i).contains(item.chosen);
    const bool can = is_at_it || may_be_drawn(s, item.chosen, item);
    if (now >= item.chosen_until || !can) {
      items_.choose(i, draw_voter(s, item, rng_), now + kChosenFor);
    }
    look_again_at(item.chosen_until, effects);
  }
}

std::vector<std::string> Leasing::idle_machines(Instant now, Effects& effects) {
  std::vector<std::string> idle;
  for (const auto& [name, machine] : machines_.lent()) {
    if (!machine.ready || !leases_.of(name).empty() || machines_.is_retiring(name)) continue;
    if (machine.not_before > now) {
      look_again_at(machine.not_before, effects);
    } else {
      idle.push_back(name);
    }
  }
  for (size_t i = 0; i + 1 < idle.size(); ++i) {
    std::swap(idle[i], idle[i + rng_.below(idle.size() - i)]);
  }
  return idle;
}

void Leasing::look_again_at(Instant due, Effects& effects) {
  if (due_ == Instant() || due < due_) due_ = due;
  effects.wake_by(due);
}

void Leasing::copy_oldest(Instant now, const Situation& s, const std::string& name,
                          Effects& effects) {
  const auto original = lease_to_copy(s, name);
  if (!original) return;
  auto copy = copy_of(s, *leases_.find(*original), name, now);
  if (!copy) return;
  MUSTER_PROBE("an idle machine copies a lease");
  leases_.note_copy(*original, grant(std::move(*copy), effects));
}

LeaseId Leasing::grant(Lease granted, Effects& effects) {
  const LeaseId id = leases_.add(std::move(granted));
  const Lease& lease = *leases_.find(id);
  effects.note("lease " + std::to_string(id.number) + " to " + short_id(lease.machine) + ": " +
                   describe(lease.items) + (lease.is_copy ? ", a copy" : ""),
               {.job = key_.job(), .machine = lease.machine, .lease = name_of(id)});
  effects.count(Count::What::kLeaseGranted);
  const std::string& owner = *machines_.owner(lease.machine);
  effects.send.push_back({grant_of(key_, id, lease, owner, items_, keys_)});
  effects.wake_by(lease.deadline);
  return id;
}

void Leasing::adopt(Instant now, const LeaseId& id, const pb::GrantTerms& terms,
                    const pb::HeldLease& held, Effects& effects) {
  const std::string& name = terms.machine();
  Lease lease{.machine = name, .granted = now, .deadline = now + Lease::kWithoutProgress};
  for (uint32_t item : terms.items()) {
    if (item >= items_.size() || items_[item].is_settled()) continue;
    const bool held_still =
        std::find(held.items().begin(), held.items().end(), item) != held.items().end();
    if (!held_still || items_[item].votes.has(name)) continue;
    lease.items.push_back(item);
    lease.bytes += items_[item].bytes;
  }
  if (lease.items.empty()) return say_withdraw(name, id, effects);
  MUSTER_PROBE("a lease from before goes on");
  lease.latest = machines_.latest_end(now, name, lease.bytes);
  lease.is_measured = false;  // It began before.
  effects.note("lease " + std::to_string(id.number) + " of " + short_id(name) +
                   " goes on: " + describe(lease.items),
               {.job = key_.job(), .machine = name, .lease = name_of(id)});
  leases_.adopt(id, std::move(lease));
}

void Leasing::close_answered(Instant now, const std::string& machine) {
  for (const LeaseId& id : std::set(leases_.of(machine))) {
    const Lease& lease = *leases_.find(id);
    const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                    [&](uint32_t i) { return items_[i].votes.has(machine); });
    if (!all_in) continue;
    const auto ended = end(id);
    if (ended->is_measured) machines_.note_speed(machine, ended->bytes, now - ended->granted);
  }
}

void Leasing::stop_settled(const Item& item, Effects& effects) {
  for (const std::string& name : std::set(leases_.holders(item.index()))) {
    for (const LeaseId& id : std::set(leases_.of(name))) {
      const Lease& lease = *leases_.find(id);
      const bool in_vain = std::all_of(lease.items.begin(), lease.items.end(), [&](uint32_t i) {
        return items_[i].is_settled() || items_[i].votes.has(name);
      });
      const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                      [&](uint32_t i) { return items_[i].votes.has(name); });
      if (in_vain && !all_in) withdraw(id, effects);
    }
  }
}

void Leasing::close(const LeaseId& id) { (void)end(id); }

std::vector<Leasing::Expired> Leasing::expire(Instant now, Effects& effects) {
  std::vector<LeaseId> over;
  for (const auto& [id, lease] : leases_.all()) {
    // How long it should take may only be known since others were measured.
    leases_.end_by(id, machines_.latest_end(lease.granted, lease.machine, lease.bytes));
    if (lease.ends() <= now) over.push_back(id);
    effects.wake_by(lease.ends());
  }
  std::vector<Expired> expired;
  for (const LeaseId& id : over) {
    const Lease& lease = *leases_.find(id);
    const bool stood = lease.deadline <= now;
    effects.warn("lease " + std::to_string(id.number) + " of " + short_id(lease.machine) +
                     (stood ? " made no progress" : " takes too long") + "; it goes to others",
                 {.job = key_.job(), .machine = lease.machine, .lease = name_of(id)});
    effects.count(Count::What::kLeaseExpired, stood ? "no_progress" : "too_slow");
    expired.push_back({lease, stood});
    withdraw(id, effects);
  }
  return expired;
}

std::optional<Lease> Leasing::end(const LeaseId& id) {
  auto lease = leases_.end(id);
  if (!lease) return lease;
  for (uint32_t i : lease->items) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
  return lease;
}

void Leasing::withdraw(const LeaseId& id, Effects& effects) {
  say_withdraw(leases_.find(id)->machine, id, effects);
  (void)end(id);
}

void Leasing::say_withdraw(const std::string& name, const LeaseId& id, Effects& effects) const {
  pb::Envelope say = envelope_to(address(pb::ROLE_WORKER, name));
  *say.mutable_withdraw()->mutable_key() = key_;
  *say.mutable_withdraw()->mutable_lease() = to_message(id);
  effects.send.push_back({std::move(say)});
}

}  // namespace muster::roles::coordinator
