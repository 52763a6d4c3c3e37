// Votes of one owner count once, as long as somebody else's could come.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
namespace {

constexpr char kSomebodyElse[] = "*";             // An owner that is not known yet.
constexpr Duration kOwnerPatience = seconds(60);  // Without a vote, for machines at work elsewhere.
constexpr Duration kMayReturn = seconds(10);      // A machine whose line has just closed.

}  // namespace

// Whose machines may vote here now, or soon. After a new line nobody knows who will be back.
// In order, each once.
std::vector<std::string_view> Job::able_owners(Instant now) const {
  std::vector<std::string_view> owners;
  if (waits_for_owners_) owners.assign(other_owners_.begin(), other_owners_.end());
  if (machines_.may_return(now)) owners.emplace_back(kSomebodyElse);
  for (const auto& [name, machine] : machines_.lent()) {
    const std::set<LeaseId>& its = leases_.of(name);
    const bool lingers = std::any_of(its.begin(), its.end(), [&](const LeaseId& id) {
      return now - leases_.find(id)->granted >= kOwnerPatience;
    });
    const bool is_able = machine.unable.empty() && !machines_.backoffs().has(name) && !lingers;
    if (is_able) owners.emplace_back(*machines_.owner(name));
  }
  for (const auto& [owner, until] : may_return_) owners.emplace_back(owner);
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return owners;
}

// Whoever could still vote on an item may be gone.
void Job::look_again_at_disputes() {
  for (uint32_t i : items_.wanting()) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
}

// It is not lent any more. Most come back at once, and their owners are waited for so long.
void Job::on_machine_left(Instant now, const std::string& name) {
  const bool may_serve = machines_.find(name)->unable.empty() && !machines_.backoffs().has(name);
  if (may_serve) may_return_[*machines_.owner(name)] = now + kMayReturn;
  machines_.leave(name);
}

// One machine of another owner that cannot work, or is wrong, neither holds the others up nor
// outvotes them.
void Job::watch_owners(Instant now, Effects& effects) {
  if (phase_ < Phase::kRunning) return;
  for (uint32_t i : items_.take_left_alone()) {
    if (items_[i].is_settled()) continue;
    recount(items_[i]);
    settle_if_agreed(now, items_[i], row_.request().redundancy(), effects);
  }
  if (now - last_vote_ >= kOwnerPatience && !items_.wanting().empty()) waits_for_owners_ = false;
  std::erase_if(may_return_, [now](const auto& entry) { return entry.second <= now; });
  for (const auto& [owner, until] : may_return_) effects.wake_by(until);
  const auto owners = able_owners(now);
  const bool are_the_same =
      std::equal(owners.begin(), owners.end(), able_owners_.begin(), able_owners_.end());
  if (are_the_same && many_owners_ == judged_many_) return;
  able_owners_ = {owners.begin(), owners.end()};
  judged_many_ = many_owners_;
  items_.set_distinct_owners(many_owners_ && !is_one_owners());
  rules_changed(now, effects);
}

// Only machines of one owner can vote, and none of another has: then they need not be distinct.
bool Job::is_one_owners() const {
  if (able_owners_.size() > 1 || able_owners_.contains(kSomebodyElse)) return false;
  return std::all_of(items_.begin(), items_.end(), [this](const Item& item) {
    const auto& votes = item.votes.all();
    return item.is_settled() || std::all_of(votes.begin(), votes.end(), [this](const Vote& vote) {
             return able_owners_.contains(vote.owner);
           });
  });
}

// Every owner who could has voted on it already, and no machine of theirs could still bring another
// owner to what most of them say.
bool Job::owners_are_exhausted(const Item& item) const {
  if (!items_.rules().distinct_owners || item.votes.size() == 0) return false;
  const bool all_voted =
      std::all_of(able_owners_.begin(), able_owners_.end(), [&](const std::string& owner) {
        return owner != kSomebodyElse && (item.votes.has_owner(owner) || is_barred(owner, item));
      });
  return all_voted && !(item.votes.disputed() && another_may_join(item));
}

bool Job::another_may_join(const Item& item) const {
  const auto leading = item.votes.leading_owners();
  const bool is_full = item.votes.size() >= ItemVotes::kMostAsked;
  const auto& lent = machines_.lent();
  return std::any_of(lent.begin(), lent.end(), [&](const auto& entry) {
    const auto& [name, machine] = entry;
    const bool is_new = std::any_of(leading.begin(), leading.end(), [&](const auto& owners) {
      return !owners.contains(*machines_.owner(entry.first));
    });
    if (!machine.unable.empty() || !is_new) return false;
    const bool is_at_it = holders(item).contains(name) && !item.votes.has(name);
    return is_at_it || (!is_full && may_vote(name, item));
  });
}

// All its machines have failed on the item.
bool Job::is_barred(const std::string& owner, const Item& item) const {
  const auto& lent = machines_.lent();
  return !other_owners_.contains(owner) && !may_return_.contains(owner) &&
         std::all_of(lent.begin(), lent.end(), [&](const auto& entry) {
           return *machines_.owner(entry.first) != owner || item.bars(entry.first);
         });
}

// No owner has a vote to add: then those of machines decide.
void Job::count_by_machine(Instant now, const Item& item, Effects& effects) {
  items_.recount(item.index(), true);
  settle_if_agreed(now, item, row_.request().redundancy(), effects);
}

void Job::recount(const Item& item) {
  const bool by_machine = owners_are_exhausted(item);
  if (by_machine) MUSTER_PROBE("every owner has voted: votes of machines count");
  items_.recount(item.index(), by_machine);
}

}  // namespace muster::roles::coordinator
