// A job's leases: which machine works on which items, and until when.
#include <algorithm>
#include <cmath>

#include "roles/coordinator/job.h"
#include "roles/message.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kLease = seconds(10);  // Without progress.
constexpr double kShardSeconds = 10;      // Of work, by the machine's measured speed.
constexpr size_t kMaxShardItems = 64;
constexpr size_t kMaxShardBytes = 256u << 10;
constexpr Duration kRetryAfter = seconds(2);  // After a failed attempt.
constexpr int kBarredAt = 2;                  // Failures of one machine on one item.

// "0..24 of a list" for a console: a range where it is one.
std::string describe(const std::vector<uint32_t>& items) {
  const std::string first = std::to_string(items.front());
  if (items.size() == 1) return "item " + first;
  const bool range = items.back() - items.front() + 1 == items.size();
  return "items " + first + (range ? ".." : " to ") + std::to_string(items.back());
}

}  // namespace

void Job::on_preparing(const std::string& name, const pb::Preparing& preparing) {
  auto found = machines_.find(name);
  if (found != machines_.end() && !preparing.what().empty()) {
    found->second.preparing = preparing.what();
  }
}

void Job::on_ready(const std::string& name, const pb::Ready& ready) {
  auto found = machines_.find(name);
  if (found == machines_.end()) return;
  found->second.ready = true;
  found->second.unable.clear();
  found->second.numeric_class = ready.numeric_class();
}

void Job::on_unable(Instant now, const std::string& name, const pb::Unable& unable,
                    Effects& effects) {
  auto found = machines_.find(name);
  if (found == machines_.end()) return;
  const Error error = to_error(unable.failure());
  if (error.code == Code::kUnsupported || error.code == Code::kDataLoss) {  // Would fail anywhere.
    return give_up(error, effects);
  }
  if (found->second.unable.empty()) {
    effects.warn("machine " + short_id(name) + " cannot: " + unable.failure().message());
  }
  found->second.unable = unable.failure().message();
  found->second.prepare_due = now + 5 * kRetryAfter;
}

void Job::prepare_machines(Instant now, Effects& effects) {
  for (auto& [name, machine] : machines_) {
    if (machine.ready) continue;
    if (machine.prepare_due <= now) {
      pb::Envelope ask = envelope_to(address(pb::ROLE_WORKER, name));
      *ask.mutable_prepare()->mutable_key() = key_;
      *ask.mutable_prepare()->mutable_model() = row_.model();
      effects.send.push_back({std::move(ask)});
      machine.prepare_due = now + kRepeatEvery;
    }
    effects.wake_by(machine.prepare_due);
  }
}

// How many more agreeing answers the item wants, open leases not counted.
size_t Job::votes_needed(const Item& item) const {
  if (item.votes_at_settling > 0 || item.votes.size() >= ItemVotes::kMost) return 0;
  const size_t agreeing = item.votes.agreeing().size();
  const size_t wanted = row_.request().redundancy();
  return agreeing < wanted ? wanted - agreeing : 0;
}

bool Job::may_vote(const std::string& machine, const Item& item) const {
  const auto failures = item.failures.find(machine);
  const bool barred = failures != item.failures.end() && failures->second >= kBarredAt;
  return !barred && !item.votes.has(machine) && !item.open.contains(machine);
}

void Job::grant_all(Instant now, Effects& effects) {
  for (auto& [name, machine] : machines_) {
    if (!machine.ready || machine.lease) continue;
    if (machine.not_before > now) {
      effects.wake_by(machine.not_before);
      continue;
    }
    grant(now, name, machine, effects);
  }
}

bool Job::grant(Instant now, const std::string& name, Machine& machine, Effects& effects) {
  size_t votes_open = 0;
  for (const Item& item : items_) votes_open += votes_needed(item);
  // The last work is spread over all machines rather than handed to the first who asks.
  const size_t share = std::max<size_t>(1, votes_open / (2 * machines_.size()));
  const size_t most_items = machine.bytes_per_second > 0 ? std::min(kMaxShardItems, share) : 1;
  const double most_bytes = machine.bytes_per_second * kShardSeconds;
  Lease lease{.machine = name, .granted = now, .deadline = now + kLease};
  pb::Envelope grant = envelope_to(address(pb::ROLE_WORKER, name));
  for (uint32_t i = 0; i < items_.size() && lease.items.size() < most_items; ++i) {
    Item& item = items_[i];
    if (item.open.size() >= votes_needed(item) || !may_vote(name, item)) continue;
    const bool full =
        !lease.items.empty() && (static_cast<double>(lease.bytes + item.bytes) > most_bytes ||
                                 lease.bytes + item.bytes > kMaxShardBytes);
    if (full) break;
    item.open.insert(name);
    lease.items.push_back(i);
    lease.bytes += item.bytes;
    *grant.mutable_grant()->add_items() = item.requests;
  }
  if (lease.items.empty()) return false;
  const uint64_t number = next_lease_++;
  effects.note("lease " + std::to_string(number) + " to " + short_id(name) + ": " +
               describe(lease.items));
  *grant.mutable_grant()->mutable_key() = key_;
  grant.mutable_grant()->set_lease(number);
  effects.send.push_back({std::move(grant)});
  effects.wake_by(lease.deadline);
  machine.lease = number;
  leases_.emplace(number, std::move(lease));
  return true;
}

void Job::on_progress(Instant now, uint64_t number) {
  auto found = leases_.find(number);
  if (found != leases_.end()) found->second.deadline = now + kLease;
}

// A lease ends when all its answers have been read from storage, and in no other good way.
void Job::close_lease_if_answered(Instant now, const std::string& machine) {
  for (const auto& [number, lease] : leases_) {
    const bool all_in = lease.machine == machine &&
                        std::all_of(lease.items.begin(), lease.items.end(),
                                    [&](uint32_t i) { return items_[i].votes.has(machine); });
    if (all_in) return close_lease(now, number, true);
  }
}

void Job::close_lease(Instant now, uint64_t number, bool measured) {
  auto found = leases_.find(number);
  if (found == leases_.end()) return;
  const Lease lease = std::move(found->second);
  leases_.erase(found);
  for (uint32_t item : lease.items) items_[item].open.erase(lease.machine);
  auto machine = machines_.find(lease.machine);
  if (machine == machines_.end()) return;
  machine->second.lease.reset();
  const double elapsed = to_seconds(now - lease.granted);
  if (measured && elapsed > 0) {
    machine->second.bytes_per_second = static_cast<double>(lease.bytes) / elapsed;
  }
}

void Job::withdraw(Instant now, uint64_t number, Effects& effects) {
  pb::Envelope say = envelope_to(address(pb::ROLE_WORKER, leases_.at(number).machine));
  *say.mutable_withdraw()->mutable_key() = key_;
  say.mutable_withdraw()->set_lease(number);
  effects.send.push_back({std::move(say)});
  close_lease(now, number, false);
}

void Job::expire_leases(Instant now, Effects& effects) {
  std::vector<uint64_t> expired;
  for (const auto& [number, lease] : leases_) {
    if (lease.deadline <= now) expired.push_back(number);
    effects.wake_by(lease.deadline);
  }
  for (uint64_t number : expired) {
    const std::string name = leases_.at(number).machine;
    effects.warn("lease " + std::to_string(number) + " of " + short_id(name) +
                 " made no progress; it goes to others");
    withdraw(now, number, effects);
    if (auto machine = machines_.find(name); machine != machines_.end()) {
      machine->second.ready = false;  // It is asked again before it gets another.
      machine->second.not_before = now + kRetryAfter;
    }
  }
}

void Job::on_lease_failed(Instant now, const pb::LeaseFailed& failed, Effects& effects) {
  auto lease = leases_.find(failed.lease());
  if (lease == leases_.end() || failed.item() >= items_.size()) return;
  const std::string name = lease->second.machine;
  const std::string where = "item " + std::to_string(failed.item());
  if (failed.users_fault()) {
    return give_up({Code::kUnsupported, where + ": " + failed.message()}, effects);
  }
  effects.warn(where + " failed on " + short_id(name) + ": " + failed.message());
  Item& item = items_[failed.item()];
  ++item.failures[name];
  close_lease(now, failed.lease(), false);
  if (auto machine = machines_.find(name); machine != machines_.end()) {
    machine->second.not_before = now + kRetryAfter;
  }
}

// Whether a lent machine has anything to do here, now or once it is ready.
bool Job::is_useful(const std::string& name, const Machine& machine) const {
  return machine.lease || std::any_of(items_.begin(), items_.end(), [&](const Item& item) {
           return votes_needed(item) > 0 && may_vote(name, item);
         });
}

// One for every vote that is still wanted, and one in the place of each that can give none.
size_t Job::machines_wanted() const {
  size_t wanted = 0;
  for (const Item& item : items_) wanted += votes_needed(item);
  if (wanted == 0) return 0;
  for (const auto& [name, machine] : machines_) wanted += is_useful(name, machine) ? 0 : 1;
  return wanted;
}

bool Job::is_barred_everywhere(const Item& item) const {
  return !machines_.empty() &&
         std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
           const auto failures = item.failures.find(entry.first);
           return failures != item.failures.end() && failures->second >= kBarredAt;
         });
}

}  // namespace muster::roles::coordinator
