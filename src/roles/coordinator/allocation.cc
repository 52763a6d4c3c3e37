#include "roles/coordinator/allocation.h"

#include <algorithm>
#include <functional>

#include "roles/coordinator/voters.h"

namespace muster::roles::coordinator {
namespace {

constexpr double kShardSeconds = 10;  // Of work, by the machine's measured speed.
constexpr size_t kMaxShardItems = 64;
constexpr size_t kMaxShardBytes = 256u << 10;

// What it may be asked, in the order in which a list of it is cut, until `take` has enough.
void in_shard_order(const Situation& s, const std::string& machine, Rng& rng,
                    const std::function<bool(uint32_t)>& take) {
  for (uint32_t i : s.items.by_lot()) {
    if (s.items[i].chosen == machine && !take(i)) return;
  }
  const auto& wanting = s.items.wanting();
  const auto from = wanting.lower_bound(static_cast<uint32_t>(rng.below(s.items.size())));
  if (std::all_of(from, wanting.end(), take)) (void)std::all_of(wanting.begin(), from, take);
}

// What of a lease is still to be done.
std::vector<uint32_t> left_of(const Situation& s, const Lease& lease) {
  std::vector<uint32_t> left;
  for (uint32_t i : lease.items) {
    const Item& item = s.items[i];
    if (item.needed > 0 && !item.votes.has(lease.machine)) left.push_back(i);
  }
  return left;
}

bool may_copy(const Situation& s, const std::string& machine, const Lease& lease) {
  if (lease.machine == machine || lease.is_copy || s.leases.is_copied(lease)) return false;
  const auto left = left_of(s, lease);
  return !left.empty() && std::all_of(left.begin(), left.end(), [&](uint32_t i) {
    const Item& item = s.items[i];
    return may_vote(s, machine, item) && !item.votes.disputed() && !item.failures.contains(machine);
  });
}

Lease begin_lease(const std::string& machine, Instant now) {
  return {.machine = machine, .granted = now, .deadline = now + Lease::kWithoutProgress};
}

}  // namespace

size_t places(const Situation& s, const std::string& machine, const Item& item) {
  const std::set<std::string>& at_it = s.holders(item);
  const bool answers_alone = s.adaptive && !item.votes.disputed() &&
                             std::any_of(at_it.begin(), at_it.end(), [&](const std::string& other) {
                               return s.standings.is_trusted(other) && s.is_reference(other);
                             });
  if (answers_alone) return 0;
  if (item.needs_lot()) return item.chosen == machine ? at_it.size() + 1 : 0;
  const bool keep = item.votes.lacks_candidate() && !s.is_reference(machine) &&
                    std::none_of(at_it.begin(), at_it.end(),
                                 [&](const std::string& other) { return s.is_reference(other); });
  return item.needed - (keep && item.needed > 0 ? 1 : 0);
}

std::optional<Lease> next_shard(const Situation& s, const std::string& machine, Instant now,
                                Rng& rng) {
  const double speed = s.machines.find(machine)->bytes_per_second;
  // The last work is spread over all machines rather than handed to the first who asks.
  const size_t share = std::max<size_t>(1, s.items.votes_wanted() / (2 * s.machines.lent().size()));
  const size_t most_items = speed > 0 ? std::min(kMaxShardItems, share) : 1;
  const double most_bytes = speed * kShardSeconds;
  Lease lease = begin_lease(machine, now);
  in_shard_order(s, machine, rng, [&](uint32_t i) {
    if (lease.items.size() >= most_items) return false;
    const Item& item = s.items[i];
    const bool is_in = std::find(lease.items.begin(), lease.items.end(), i) != lease.items.end();
    if (is_in || s.holders(item).size() >= places(s, machine, item)) return true;
    if (!may_vote(s, machine, item)) return true;
    const bool full =
        !lease.items.empty() && (static_cast<double>(lease.bytes + item.bytes) > most_bytes ||
                                 lease.bytes + item.bytes > kMaxShardBytes ||
                                 !item.failures.empty());  // It is tried alone.
    if (full) return false;
    lease.items.push_back(i);
    lease.bytes += item.bytes;
    return item.failures.empty();
  });
  if (lease.items.empty()) return std::nullopt;
  lease.latest = s.machines.latest_end(now, machine, lease.bytes);
  return lease;
}

std::optional<LeaseId> lease_to_copy(const Situation& s, const std::string& machine) {
  const std::pair<const LeaseId, Lease>* oldest = nullptr;
  for (const auto& entry : s.leases.all()) {
    if (oldest != nullptr && entry.second.granted >= oldest->second.granted) continue;
    if (may_copy(s, machine, entry.second)) oldest = &entry;
  }
  if (oldest == nullptr) return std::nullopt;
  return oldest->first;
}

std::optional<Lease> copy_of(const Situation& s, const Lease& original, const std::string& machine,
                             Instant now) {
  Lease copy = begin_lease(machine, now);
  copy.is_copy = true;
  copy.items = left_of(s, original);
  for (uint32_t i : copy.items) copy.bytes += s.items[i].bytes;
  if (copy.items.empty()) return std::nullopt;
  copy.latest = s.machines.latest_end(now, machine, copy.bytes);
  return copy;
}

bool is_useful(const Situation& s, const std::string& machine) {
  if (!s.leases.of(machine).empty()) return true;
  const auto& wanting = s.items.wanting();
  const bool may_vote_somewhere = std::any_of(
      wanting.begin(), wanting.end(), [&](uint32_t i) { return may_vote(s, machine, s.items[i]); });
  // What one slow machine works on, another may copy.
  const auto& leases = s.leases.all();
  return may_vote_somewhere || std::any_of(leases.begin(), leases.end(), [&](const auto& entry) {
           return may_copy(s, machine, entry.second);
         });
}

size_t machines_wanted(const Situation& s, Instant now) {
  size_t wanted = s.items.votes_wanted() + s.machines.loading_long(now);
  for (const auto& [id, lease] : s.leases.all()) wanted += lease.is_copy ? 0 : 1;
  return wanted;
}

std::vector<std::string> released(const Situation& s, Instant now) {
  std::vector<std::string> names;
  for (const auto& [name, known] : s.machines.known()) {
    const bool retires = s.machines.is_retiring(name) && s.machines.find(name) != nullptr &&
                         s.leases.of(name).empty();
    const bool is_held_back = s.machines.backoffs().waits(now, name);
    if (retires || is_held_back || !is_useful(s, name)) names.push_back(name);
  }
  return names;
}

}  // namespace muster::roles::coordinator
