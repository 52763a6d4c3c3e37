// A job's leases: which machine works on which items, and until when.
#include <algorithm>

#include "base/probe.h"
#include "base/rng.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kLease = seconds(10);  // Without progress.
constexpr double kShardSeconds = 10;      // Of work, by the machine's measured speed.
constexpr size_t kMaxShardItems = 64;
constexpr size_t kMaxShardBytes = 256u << 10;
constexpr size_t kMostBarren = 3;  // Machines in a row; then it is not the machines.
constexpr Duration kChosenFor = seconds(30);
constexpr uint32_t kMostWanted = 4096;  // Machines at once.

// "0..24 of a list" for a console: a range where it is one.
std::string describe(const std::vector<uint32_t>& items) {
  const std::string first = std::to_string(items.front());
  if (items.size() == 1) return "item " + first;
  const bool range = items.back() - items.front() + 1 == items.size();
  return "items " + first + (range ? ".." : " to ") + std::to_string(items.back());
}

}  // namespace

void Job::give_back(Instant now, const std::string& name, const Error& why, Effects& effects) {
  machines_.give_back(now, name, why, effects);
  look_again_at_disputes();
  work_changed_ = true;
}

// Only what a machine says when it was not known to be ready counts: later it holds what it was
// granted here.
void Job::on_ready(Instant now, const std::string& name, const pb::Ready& ready, Effects& effects) {
  const Machines::Lent* machine = machines_.find(name);
  if (machine == nullptr || machine->ready) return;
  if (ready.numeric_class().empty()) return refusals_.note(name, "it is ready without a class");
  machines_.on_ready(name, ready.numeric_class());
  objections_.withdraw(name);
  work_changed_ = true;
  for (const auto& held : ready.leases()) adopt_lease(now, name, held, effects);
}

// A lease that the machine holds from before, of this epoch or an earlier one, goes on as it is:
// the terms that it shows were signed by a coordinator of this run, for it and for these items.
void Job::adopt_lease(Instant now, const std::string& name, const pb::HeldLease& held,
                      Effects& effects) {
  const auto found = grants_.open(held.terms(), row_.assignments());
  if (!found) return refusals_.note(name, "it claims a lease that nobody granted");
  const OpenedRecord* opened = *found;
  if (!same_run(opened->record, key_)) return;
  const pb::GrantTerms& terms = opened->record.grant();
  const LeaseId id{opened->record.epoch(), terms.lease()};
  if (terms.machine() != name) return refusals_.note(name, "it claims another's lease");
  if (leases_.find(id) != nullptr) return;
  Lease lease{.machine = name, .granted = now, .deadline = now + kLease};
  for (uint32_t item : terms.items()) {
    if (item >= items_.size() || items_[item].is_settled()) continue;
    const bool held_still =
        std::find(held.items().begin(), held.items().end(), item) != held.items().end();
    if (!held_still || items_[item].votes.has(name)) continue;
    lease.items.push_back(item);
    lease.bytes += items_[item].bytes;
  }
  lease.latest = machines_.latest_end(now, name, lease.bytes);
  lease.is_measured = false;  // It began before.
  if (lease.items.empty()) return say_withdraw(name, id, effects);
  MUSTER_PROBE("a lease from before goes on");
  effects.note("lease " + std::to_string(id.second) + " of " + short_id(name) +
               " goes on: " + describe(lease.items));
  leases_.adopt(id, std::move(lease));
}

void Job::on_unable(Instant now, const std::string& name, const pb::Unable& unable,
                    Effects& effects) {
  const Machines::Lent* machine = machines_.find(name);
  if (machine == nullptr) return;
  Error error = to_error(unable.failure());
  if (error.message.empty()) error.message = "it does not say why";
  if (machine->unable.empty()) {
    effects.warn("machine " + short_id(name) + " cannot: " + error.message);
    report_.happened(now, name, "cannot have the model ready: " + error.message);
  }
  // What it says once more before it was asked again changes nothing.
  if (!machines_.backoffs().waits(now, name)) give_back(now, name, error, effects);
  if (is_users_fault(error.code)) object(name, Objections::kModel, error, effects);
}

// Who does not get ready is asked again later; what it has begun goes on.
void Job::prepare_machines(Instant now, Effects& effects) {
  for (const std::string& name : machines_.overdue(now)) {
    report_.happened(now, name, "does not get the model ready");
    give_back(now, name, {Code::kFailed, "does not get the model ready"}, effects);
  }
  machines_.send_due(now, key_, effects);
}

bool Job::may_vote(const std::string& machine, const Item& item) const {
  if (item.bars(machine) || item.votes.has(machine)) return false;
  if (holders(item).contains(machine)) return false;
  // The last vote must be one that can give the value.
  const bool other_class = machines_.class_of(machine) != nullptr && !is_reference(machine);
  if (other_class && item.votes.lacks_candidate() && item.needed < 2) return false;
  // Another machine of the same owner says nothing new, unless the votes so far do not agree.
  const bool any_owner =
      !items_.rules().distinct_owners || item.by_machine || item.votes.disputed();
  return any_owner || brings_an_owner(machine, item);
}

// No machine of its owner has answered the item, or is asked to.
bool Job::brings_an_owner(const std::string& machine, const Item& item) const {
  const std::string* owner = machines_.owner(machine);
  if (owner == nullptr) return true;
  return !item.votes.has_owner(*owner) &&
         std::none_of(holders(item).begin(), holders(item).end(), [&](const std::string& other) {
           const std::string* its = machines_.owner(other);
           return its != nullptr && *its == *owner;
         });
}

void Job::grant_all(Instant now, Effects& effects) {
  if (!work_changed_ && (grant_due_ > now || grant_due_ == Instant())) {
    if (grant_due_ > now) effects.wake_by(grant_due_);
    return;
  }
  if (items_.rules().classes.empty()) return;
  work_changed_ = false;
  grant_due_ = {};
  draw_voters(now, effects);
  for (const std::string& name : idle_machines(now, effects)) {
    grant(now, name, effects);
    if (leases_.of(name).empty()) copy_oldest(now, name, effects);
  }
}

// In an order drawn anew each time: who votes with whom is not for the machines to know before.
std::vector<std::string> Job::idle_machines(Instant now, Effects& effects) {
  std::vector<std::string> idle;
  for (const auto& [name, machine] : machines_.lent()) {
    if (!machine.ready || !leases_.of(name).empty() || machines_.is_retiring(name)) continue;
    if (machine.not_before <= now) {
      idle.push_back(name);
      continue;
    }
    if (grant_due_ == Instant() || machine.not_before < grant_due_) grant_due_ = machine.not_before;
    effects.wake_by(machine.not_before);
  }
  for (size_t i = 0; i + 1 < idle.size(); ++i) {
    std::swap(idle[i], idle[i + rng_.below(idle.size() - i)]);
  }
  return idle;
}

// Where answers do not agree, or an attempt has failed, the next to try is drawn by lot among all
// that may, at work or idle: who is idle is for the machines to choose. First among those of owners
// who have not voted on it: else four machines of one owner, asked one after the other, could
// outvote the only other owner who was asked.
void Job::draw_voters(Instant now, Effects& effects) {
  for (uint32_t i : items_.by_lot()) {
    const Item& item = items_[i];
    const bool holds_it = holders(item).contains(item.chosen);
    if (now >= item.chosen_until || (!holds_it && !may_be_chosen(item.chosen, item))) {
      std::vector<std::string> able, of_new_owners;
      for (const auto& [name, machine] : machines_.lent()) {
        if (!may_be_chosen(name, item)) continue;
        able.push_back(name);
        if (items_.rules().distinct_owners && brings_an_owner(name, item))
          of_new_owners.push_back(name);
      }
      const auto& names = of_new_owners.empty() ? able : of_new_owners;
      items_.choose(i, names.empty() ? "" : names[rng_.below(names.size())], now + kChosenFor);
    }
    if (grant_due_ == Instant() || item.chosen_until < grant_due_) grant_due_ = item.chosen_until;
    effects.wake_by(item.chosen_until);
  }
}

bool Job::may_be_chosen(const std::string& name, const Item& item) const {
  return machines_.may_work(name) && may_vote(name, item);
}

// How many leases with this item there may be for one more to this machine. Whoever may answer
// alone is left alone with it, be it a check: who is checked must not see it by who else is asked.
// While no answer can give the value, the last place is kept for a
// machine whose answer can.
size_t Job::places(const std::string& name, const Item& item) const {
  const std::set<std::string>& at_it = holders(item);
  const bool answers_alone =
      row_.request().adaptive() && !item.votes.disputed() &&
      std::any_of(at_it.begin(), at_it.end(), [this](const std::string& other) {
        return standings_.is_trusted(other) && is_reference(other);
      });
  if (answers_alone) return 0;
  if (item.needs_lot()) return item.chosen == name ? at_it.size() + 1 : 0;
  const bool keep = item.votes.lacks_candidate() && !is_reference(name) &&
                    std::none_of(at_it.begin(), at_it.end(),
                                 [this](const std::string& other) { return is_reference(other); });
  return item.needed - (keep && item.needed > 0 ? 1 : 0);
}

// What it may be asked, in the order in which a list of it is cut: what it was drawn for, then from
// an item drawn by lot onwards, so that machines cannot bring about that they get the same list.
// Until `take` has enough.
void Job::in_shard_order(const std::string& name, const std::function<bool(uint32_t)>& take) {
  for (uint32_t i : items_.by_lot()) {
    if (items_[i].chosen == name && !take(i)) return;
  }
  const auto from = items_.wanting().lower_bound(static_cast<uint32_t>(rng_.below(items_.size())));
  if (std::all_of(from, items_.wanting().end(), take))
    (void)std::all_of(items_.wanting().begin(), from, take);
}

void Job::grant(Instant now, const std::string& name, Effects& effects) {
  const double speed = machines_.find(name)->bytes_per_second;
  // The last work is spread over all machines rather than handed to the first who asks.
  const size_t share = std::max<size_t>(1, items_.votes_wanted() / (2 * machines_.lent().size()));
  const size_t most_items = speed > 0 ? std::min(kMaxShardItems, share) : 1;
  const double most_bytes = speed * kShardSeconds;
  Lease lease{.machine = name, .granted = now, .deadline = now + kLease};
  in_shard_order(name, [&](uint32_t i) {
    if (lease.items.size() >= most_items) return false;
    const Item& item = items_[i];
    const bool is_in = std::find(lease.items.begin(), lease.items.end(), i) != lease.items.end();
    if (is_in || holders(item).size() >= places(name, item) || !may_vote(name, item)) return true;
    const bool full =
        !lease.items.empty() && (static_cast<double>(lease.bytes + item.bytes) > most_bytes ||
                                 lease.bytes + item.bytes > kMaxShardBytes ||
                                 !item.failures.empty());  // It is tried alone.
    if (full) return false;
    lease.items.push_back(i);
    lease.bytes += item.bytes;
    return item.failures.empty();
  });
  lease.latest = machines_.latest_end(now, name, lease.bytes);
  if (!lease.items.empty()) send_grant(std::move(lease), effects);
}

// One copy a lease at a time, and only where nothing of it was held, answered or failed before.
bool Job::may_copy(const std::string& name, const Lease& lease) const {
  if (lease.machine == name || lease.is_copy || leases_.is_copied(lease)) return false;
  return std::all_of(lease.items.begin(), lease.items.end(), [&](uint32_t i) {
    const Item& item = items_[i];
    return item.needed == 0 || item.votes.has(lease.machine) ||
           (may_vote(name, item) && !item.votes.disputed() && !item.failures.contains(name));
  });
}

// The machine has nothing to do: it takes what the oldest lease has not answered yet, so that one
// slow machine does not hold the end up.
void Job::copy_oldest(Instant now, const std::string& name, Effects& effects) {
  const std::pair<const LeaseId, Lease>* oldest = nullptr;
  for (const auto& entry : leases_.all()) {
    if (oldest != nullptr && entry.second.granted >= oldest->second.granted) continue;
    if (may_copy(name, entry.second)) oldest = &entry;
  }
  if (oldest == nullptr) return;
  const LeaseId original = oldest->first;
  Lease lease{.machine = name, .granted = now, .deadline = now + kLease, .is_copy = true};
  for (uint32_t i : oldest->second.items) {
    if (items_[i].needed == 0 || items_[i].votes.has(oldest->second.machine)) continue;
    lease.items.push_back(i);
    lease.bytes += items_[i].bytes;
  }
  if (lease.items.empty()) return;
  MUSTER_PROBE("an idle machine copies a lease");
  lease.latest = machines_.latest_end(now, name, lease.bytes);
  leases_.note_copy(original, send_grant(std::move(lease), effects));
}

LeaseId Job::send_grant(Lease granted, Effects& effects) {
  const LeaseId id = leases_.add(std::move(granted));
  const Lease& lease = *leases_.find(id);
  effects.note("lease " + std::to_string(id.second) + " to " + short_id(lease.machine) + ": " +
               describe(lease.items) + (lease.is_copy ? ", a copy" : ""));
  pb::Envelope grant = envelope_to(address(pb::ROLE_WORKER, lease.machine));
  *grant.mutable_grant()->mutable_key() = key_;
  *grant.mutable_grant()->mutable_lease() = to_message(id);
  pb::GrantTerms terms;
  terms.set_lease(id.second);
  terms.set_machine(lease.machine);
  terms.set_owner(*machines_.owner(lease.machine));
  terms.mutable_items()->Add(lease.items.begin(), lease.items.end());
  *grant.mutable_grant()->mutable_terms() = sign_grant(key_, terms, keys_);
  for (uint32_t i : lease.items) *grant.mutable_grant()->add_items() = items_[i].requests;
  effects.send.push_back({std::move(grant)});
  effects.wake_by(lease.deadline);
  return id;
}

void Job::on_progress(Instant now, const std::string& name, const pb::LeaseId& id) {
  const Lease* lease = leases_.find(to_lease_id(id));
  if (lease == nullptr) return;
  if (lease->machine != name) return refusals_.note(name, "progress of another's lease");
  leases_.renew(to_lease_id(id), now + kLease);
}

// A lease ends when all its answers have been read from storage, and in no other good way.
void Job::close_lease_if_answered(Instant now, const std::string& machine) {
  for (const LeaseId& id : std::set(leases_.of(machine))) {
    const Lease& lease = *leases_.find(id);
    const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                    [&](uint32_t i) { return items_[i].votes.has(machine); });
    if (all_in) close_lease(now, id, true);
  }
}

void Job::close_lease(Instant now, const LeaseId& id, bool measured) {
  const auto lease = leases_.end(id);
  if (!lease) return;
  work_changed_ = true;
  for (uint32_t i : lease->items) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
  if (measured && lease->is_measured) {
    machines_.note_speed(lease->machine, lease->bytes, now - lease->granted);
  }
}

// An item is settled: whoever works on nothing else but settled items may stop.
void Job::stop_settled(Instant now, const Item& item, Effects& effects) {
  for (const std::string& name : std::set(holders(item))) {
    for (const LeaseId& id : std::set(leases_.of(name))) {
      const Lease& lease = *leases_.find(id);
      const bool in_vain = std::all_of(lease.items.begin(), lease.items.end(), [&](uint32_t i) {
        return items_[i].is_settled() || items_[i].votes.has(name);
      });
      const bool all_in = std::all_of(lease.items.begin(), lease.items.end(),
                                      [&](uint32_t i) { return items_[i].votes.has(name); });
      if (in_vain && !all_in) withdraw(now, id, effects);
    }
  }
}

void Job::say_withdraw(const std::string& name, const LeaseId& id, Effects& effects) const {
  pb::Envelope say = envelope_to(address(pb::ROLE_WORKER, name));
  *say.mutable_withdraw()->mutable_key() = key_;
  *say.mutable_withdraw()->mutable_lease() = to_message(id);
  effects.send.push_back({std::move(say)});
}

void Job::withdraw(Instant now, const LeaseId& id, Effects& effects) {
  say_withdraw(leases_.find(id)->machine, id, effects);
  close_lease(now, id, false);
}

void Job::expire_leases(Instant now, Effects& effects) {
  std::vector<LeaseId> expired;
  for (const auto& [id, lease] : leases_.all()) {
    // How long it should take may only be known since others were measured.
    leases_.end_by(id, machines_.latest_end(lease.granted, lease.machine, lease.bytes));
    if (lease.ends() <= now) expired.push_back(id);
    effects.wake_by(lease.ends());
  }
  for (const LeaseId& id : expired) {
    const Lease& lease = *leases_.find(id);
    const std::string name = lease.machine;
    const bool stood = lease.deadline <= now;
    effects.warn("lease " + std::to_string(id.second) + " of " + short_id(name) +
                 (stood ? " made no progress" : " takes too long") + "; it goes to others");
    report_.happened(
        now, name,
        "lost a lease of " + describe(lease.items) +
            (stood ? ": no progress for 10 s" : ": five times the time it should take"));
    withdraw(now, id, effects);
    machines_.ask_again(name);
    machines_.back_off(now, name);
    if (!stood) machines_.note_hopeless(name);
    came_to_nothing(now, name, effects);
  }
}

// One of its leases did. Whoever takes leases and answers none waits, if it comes and goes as well.
void Job::came_to_nothing(Instant now, const std::string& name, Effects& effects) {
  if (!machines_.note_fruitless(name)) return;
  give_back(now, name, {Code::kFailed, "takes leases and answers none"}, effects);
  barren_.insert(name);
  if (barren_.size() < kMostBarren) return;
  barren_.clear();
  feeds_.blame_the_only("feeds nothing of what machines answer");
}

// Whether a machine has, or may get, anything to do here.
bool Job::is_useful(const std::string& name) const {
  if (!leases_.of(name).empty()) return true;
  const bool may_vote_somewhere =
      std::any_of(items_.wanting().begin(), items_.wanting().end(),
                  [&](uint32_t i) { return may_vote(name, items_[i]); });
  // What one slow machine works on, another may copy.
  return may_vote_somewhere ||
         std::any_of(leases_.all().begin(), leases_.all().end(),
                     [&](const auto& entry) { return may_copy(name, entry.second); });
}

// One machine for every vote that is still wanted, and one for each lease that an idle one could
// copy. Those that have voted on all that is left, or cannot serve, are given back.
void Job::ask_for_workers(Instant now, Effects& effects) const {
  size_t wanted = items_.votes_wanted();
  for (const auto& [id, lease] : leases_.all()) wanted += lease.is_copy ? 0 : 1;
  // Nor do those count that have been getting ready for long.
  wanted += machines_.loading_long(now);
  pb::Envelope want = envelope_to_server();
  *want.mutable_want_workers()->mutable_key() = key_;
  for (const auto& [name, known] : machines_.known()) {
    const bool retires =
        machines_.is_retiring(name) && machines_.find(name) != nullptr && leases_.of(name).empty();
    if (!retires && !machines_.backoffs().waits(now, name) && is_useful(name)) continue;
    if (want.want_workers().spare_size() < static_cast<int>(kMostWanted)) {
      want.mutable_want_workers()->add_spare(name);
    }
  }
  want.mutable_want_workers()->set_count(
      static_cast<uint32_t>(std::min<size_t>(wanted, kMostWanted)));
  effects.send.push_back({std::move(want)});
}

}  // namespace muster::roles::coordinator
