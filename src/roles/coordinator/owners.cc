#include "roles/coordinator/owners.h"

#include <algorithm>

#include "wire/lease_id.h"

namespace muster::roles::coordinator {

void Owners::on_arrival(Instant now, const std::string& owner) {
  if (!others_.contains(owner)) return;
  waits_for_others_ = true;
  last_vote_ = now;
}

bool Owners::look(Instant now, const Machines& machines, const Leases& leases, bool wants_votes,
                  Effects& effects) {
  if (now - last_vote_ >= kPatience && wants_votes) waits_for_others_ = false;
  std::erase_if(may_return_, [now](const auto& entry) { return entry.second <= now; });
  for (const auto& [owner, until] : may_return_) effects.wake_by(until);
  const auto owners = able_now(now, machines, leases);
  const bool known = !machines.may_return(now);
  const bool are_the_same =
      known == are_known_ && std::equal(owners.begin(), owners.end(), able_.begin(), able_.end());
  if (are_the_same && many_ == judged_many_) return false;
  able_ = {owners.begin(), owners.end()};
  are_known_ = known;
  judged_many_ = many_;
  return true;
}

// In order, each once.
std::vector<std::string_view> Owners::able_now(Instant now, const Machines& machines,
                                               const Leases& leases) const {
  std::vector<std::string_view> owners;
  if (waits_for_others_) owners.assign(others_.begin(), others_.end());
  for (const auto& [name, machine] : machines.lent()) {
    const std::set<LeaseId>& its = leases.of(name);
    const bool lingers = std::any_of(its.begin(), its.end(), [&](const LeaseId& id) {
      return now - leases.find(id)->granted >= kPatience;
    });
    if (machines.may_serve(name) && !lingers) owners.emplace_back(*machines.owner(name));
  }
  for (const auto& [owner, until] : may_return_) owners.emplace_back(owner);
  std::sort(owners.begin(), owners.end());
  owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
  return owners;
}

bool Owners::must_be_distinct(const Items& items) const { return many_ && !is_one(items); }

bool Owners::is_one(const Items& items) const {
  if (able_.size() > 1 || !are_known_) return false;
  return std::all_of(items.begin(), items.end(), [this](const Item& item) {
    const auto& votes = item.votes.all();
    return item.is_settled() || std::all_of(votes.begin(), votes.end(), [this](const Vote& vote) {
             return able_.contains(vote.owner);
           });
  });
}

}  // namespace muster::roles::coordinator
