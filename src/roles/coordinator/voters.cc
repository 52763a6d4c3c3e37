#include "roles/coordinator/voters.h"

#include <algorithm>
#include <vector>

namespace muster::roles::coordinator {
namespace {

// Some machine could still bring another owner to what most say.
bool another_may_join(const Situation& s, const Item& item) {
  const auto leading = item.votes.leading_owners();
  const bool is_full = item.votes.size() >= ItemVotes::kMostAsked;
  const auto& lent = s.machines.lent();
  return std::any_of(lent.begin(), lent.end(), [&](const auto& entry) {
    const std::string& name = entry.first;
    const bool is_new = std::any_of(leading.begin(), leading.end(), [&](const auto& owners) {
      return !owners.contains(*s.machines.owner(name));
    });
    if (!entry.second.unable.empty() || !is_new) return false;
    const bool is_at_it = s.holders(item).contains(name) && !item.votes.has(name);
    return is_at_it || (!is_full && may_vote(s, name, item));
  });
}

// All the owner's machines have failed on the item.
bool is_excluded(const Situation& s, const std::string& owner, const Item& item) {
  const auto& lent = s.machines.lent();
  return !s.owners.may_come(owner) && std::all_of(lent.begin(), lent.end(), [&](const auto& entry) {
    return *s.machines.owner(entry.first) != owner || item.excludes(entry.first);
  });
}

}  // namespace

bool may_vote(const Situation& s, const std::string& machine, const Item& item) {
  if (item.excludes(machine) || item.votes.has(machine)) return false;
  if (s.holders(item).contains(machine)) return false;
  const bool other_class = s.machines.class_of(machine) != nullptr && !s.is_reference(machine);
  if (other_class && item.votes.lacks_candidate() && item.needed < 2) return false;
  const bool any_owner =
      !s.items.rules().distinct_owners || item.by_machine || item.votes.disputed();
  return any_owner || brings_an_owner(s, machine, item);
}

bool brings_an_owner(const Situation& s, const std::string& machine, const Item& item) {
  const std::string* owner = s.machines.owner(machine);
  if (owner == nullptr) return true;
  const auto& at_it = s.holders(item);
  return !item.votes.has_owner(*owner) &&
         std::none_of(at_it.begin(), at_it.end(), [&](const std::string& other) {
           const std::string* its = s.machines.owner(other);
           return its != nullptr && *its == *owner;
         });
}

bool may_be_drawn(const Situation& s, const std::string& machine, const Item& item) {
  return s.machines.may_work(machine) && may_vote(s, machine, item);
}

std::string draw_voter(const Situation& s, const Item& item, Rng& rng) {
  std::vector<std::string> able, of_new_owners;
  for (const auto& [name, machine] : s.machines.lent()) {
    if (!may_be_drawn(s, name, item)) continue;
    able.push_back(name);
    const bool is_new = s.items.rules().distinct_owners && brings_an_owner(s, name, item);
    if (is_new) of_new_owners.push_back(name);
  }
  const auto& names = of_new_owners.empty() ? able : of_new_owners;
  return names.empty() ? "" : names[rng.below(names.size())];
}

bool owners_are_exhausted(const Situation& s, const Item& item) {
  if (!s.items.rules().distinct_owners || item.votes.size() == 0) return false;
  const auto& able = s.owners.able();
  const bool all_voted =
      s.owners.are_known() && std::all_of(able.begin(), able.end(), [&](const std::string& owner) {
        return item.votes.has_owner(owner) || is_excluded(s, owner, item);
      });
  return all_voted && !(item.votes.disputed() && another_may_join(s, item));
}

bool has_nobody(const Situation& s, const Item& item) {
  const auto& lent = s.machines.lent();
  return item.votes.size() == 0 && s.holders(item).empty() &&
         std::all_of(lent.begin(), lent.end(), [&](const auto& entry) {
           return item.excludes(entry.first) || !entry.second.unable.empty();
         });
}

size_t votes_enough(const Situation& s, const Item& item, size_t redundancy) {
  if (!s.adaptive || item.is_check || item.votes.disputed()) return redundancy;
  const auto& votes = item.votes.all();
  const bool has_trusted = std::any_of(votes.begin(), votes.end(), [&](const Vote& vote) {
    return s.standings.is_trusted(vote.machine) && s.items.rules().may_give(vote.numeric_class);
  });
  return has_trusted ? 1 : redundancy;
}

}  // namespace muster::roles::coordinator
