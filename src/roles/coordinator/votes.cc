#include "roles/coordinator/votes.h"

#include <algorithm>
#include <cmath>

namespace muster::roles::coordinator {
namespace {

// float32 against float32 of another machine; 16-bit types will bring their own.
double tolerance(const pb::Response& response) { return 1e-4 * (1.0 + response.tokens()); }

bool agree_on(const pb::Response& a, const pb::Response& b) {
  if (a.tokens() != b.tokens()) return false;
  const double allowed = tolerance(a);
  const bool near = std::fabs(a.loglikelihood() - b.loglikelihood()) <= allowed;
  const bool tied = std::min(a.margin(), b.margin()) <= allowed;
  return near && (a.is_greedy() == b.is_greedy() || tied);
}

}  // namespace

bool agree(const std::vector<pb::Response>& a, const std::vector<pb::Response>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), agree_on);
}

ItemVotes::Added ItemVotes::add(Vote vote) {
  if (machines_.contains(vote.machine)) return Added::kRepeat;
  if (votes_.size() >= kMost) return Added::kTooMany;
  machines_.insert(vote.machine);
  const auto place = std::find_if(votes_.begin(), votes_.end(),
                                  [&](const Vote& v) { return v.digest > vote.digest; });
  votes_.insert(place, std::move(vote));
  recount();
  return Added::kNew;
}

void ItemVotes::set_distinct_owners(bool distinct) {
  if (std::exchange(distinct_owners_, distinct) != distinct) recount();
}

bool ItemVotes::has_owner(const std::string& owner) const {
  return std::any_of(votes_.begin(), votes_.end(),
                     [&](const Vote& vote) { return vote.owner == owner; });
}

size_t ItemVotes::count(const std::vector<const Vote*>& votes) const {
  if (!distinct_owners_) return votes.size();
  std::set<std::string> owners;
  for (const Vote* vote : votes) owners.insert(vote->owner);
  return owners.size();
}

void ItemVotes::recount() {
  const auto best = agreeing();
  most_agreeing_ = count(best);
  disputed_ = best.size() < votes_.size();
}

std::vector<const Vote*> ItemVotes::agreeing() const {
  std::vector<const Vote*> best;
  for (const Vote& candidate : votes_) {
    std::vector<const Vote*> with = {&candidate};
    for (const Vote& vote : votes_) {
      if (&vote != &candidate && agree(candidate.responses, vote.responses)) with.push_back(&vote);
    }
    if (count(with) > count(best)) best = std::move(with);
  }
  return best;
}

}  // namespace muster::roles::coordinator
