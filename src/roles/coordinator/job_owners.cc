// Votes of one owner count once, as long as somebody else's could come.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr char kSomebodyElse[] = "*";  // An owner that is not known yet.

}  // namespace

// Whose machines may vote here now, or soon. A machine that was not ready yet may be anybody's.
std::set<std::string> Job::able_owners(Instant now) const {
  std::set<std::string> owners;
  if (others_may_come(now) || other_owners_) owners.insert(kSomebodyElse);
  for (const auto& [name, machine] : machines_) {
    if (!machine.unable.empty() || backoffs_.has(name)) continue;
    const auto owner = owners_.find(name);
    owners.insert(owner == owners_.end() ? kSomebodyElse : owner->second);
  }
  return owners;
}

// One machine of another owner that cannot work, or is wrong, neither holds the others up nor
// outvotes them.
void Job::watch_owners(Instant now, Effects& effects) {
  auto owners = able_owners(now);
  const bool distinct = many_owners_ && (owners.size() > 1 || owners.contains(kSomebodyElse));
  if (owners == able_owners_ && distinct == rules_.distinct_owners) return;
  able_owners_ = std::move(owners);
  rules_.distinct_owners = distinct;
  rules_changed(now, effects);
}

// Every owner who could has voted on it already.
bool Job::owners_are_exhausted(const Item& item) const {
  if (!rules_.distinct_owners || item.votes.size() == 0) return false;
  if (able_owners_.contains(kSomebodyElse)) return false;
  return std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
    const auto& [name, machine] = entry;
    if (!machine.unable.empty() || backoffs_.has(name) || item.bars(name)) return true;
    const auto owner = owners_.find(name);
    return owner != owners_.end() && item.votes.has_owner(owner->second);
  });
}

const VotingRules& Job::rules_of(const Item& item) const {
  return item.by_machine ? rules_by_machine_ : rules_;
}

void Job::recount(Item& item) {
  item.by_machine = owners_are_exhausted(item);
  if (item.by_machine) MUSTER_PROBE("every owner has voted: votes of machines count");
  item.votes.recount(rules_of(item));
  refresh_needed(item);
}

}  // namespace muster::roles::coordinator
