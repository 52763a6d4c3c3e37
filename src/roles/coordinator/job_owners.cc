// Votes of one owner count once, as long as somebody else's could come.
#include <algorithm>

#include "base/probe.h"
#include "roles/coordinator/job.h"

namespace muster::roles::coordinator {
// Whoever could still vote on an item may be gone.
void Job::look_again_at_disputes() {
  for (uint32_t i : items_.wanting()) {
    if (items_[i].votes.disputed()) items_.leave_alone(i);
  }
}

// It is not lent any more. Most come back at once, and their owners are waited for so long.
void Job::on_machine_left(Instant now, const std::string& name) {
  if (machines_.may_serve(name)) owners_.on_left(now, *machines_.owner(name));
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
  const bool wants_votes = !items_.wanting().empty();
  if (!owners_.look(now, machines_, leases_, wants_votes, effects)) return;
  items_.set_distinct_owners(owners_.must_be_distinct(items_));
  rules_changed(now, effects);
}

// Every owner who could has voted on it already, and no machine of theirs could still bring another
// owner to what most of them say.
bool Job::owners_are_exhausted(const Item& item) const {
  if (!items_.rules().distinct_owners || item.votes.size() == 0) return false;
  const auto& able = owners_.able();
  const bool all_voted =
      owners_.are_known() && std::all_of(able.begin(), able.end(), [&](const std::string& owner) {
        return item.votes.has_owner(owner) || is_barred(owner, item);
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
  return !owners_.may_come(owner) && std::all_of(lent.begin(), lent.end(), [&](const auto& entry) {
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
