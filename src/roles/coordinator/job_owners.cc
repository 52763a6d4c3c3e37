// Votes of one owner count once, as long as somebody else's could come.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr char kSomebodyElse[] = "*";             // An owner that is not known yet.
constexpr Duration kOwnerPatience = seconds(60);  // Without a vote, for machines at work elsewhere.

}  // namespace

// Whose machines may vote here now, or soon. After a new line nobody knows who will be back.
std::set<std::string> Job::able_owners(Instant now) const {
  std::set<std::string> owners;
  if (waits_for_owners_) owners = other_owners_;
  if (!line_up_ || now < others_may_return_until_) owners.insert(kSomebodyElse);
  for (const auto& [name, machine] : machines_) {
    if (machine.unable.empty() && !backoffs_.has(name)) owners.insert(owners_.at(name));
  }
  return owners;
}

// One machine of another owner that cannot work, or is wrong, neither holds the others up nor
// outvotes them.
void Job::watch_owners(Instant now, Effects& effects) {
  if (now - last_vote_ >= kOwnerPatience && !wanting_.empty()) waits_for_owners_ = false;
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
  return std::all_of(able_owners_.begin(), able_owners_.end(), [&](const std::string& owner) {
    return owner != kSomebodyElse && (item.votes.has_owner(owner) || is_barred(owner, item));
  });
}

// All its machines have failed on the item.
bool Job::is_barred(const std::string& owner, const Item& item) const {
  return !other_owners_.contains(owner) &&
         std::all_of(machines_.begin(), machines_.end(), [&](const auto& entry) {
           return owners_.at(entry.first) != owner || item.bars(entry.first);
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
