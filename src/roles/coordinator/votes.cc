#include "roles/coordinator/votes.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace muster::roles::coordinator {
namespace {

// float32 against float32 of another machine; 16-bit types will bring their own.
double tolerance(const pb::Response& response) { return 1e-4 * (1.0 + response.tokens()); }

bool agree_nearly(const pb::Response& a, const pb::Response& b) {
  if (a.tokens() != b.tokens()) return false;
  const double allowed = tolerance(a);
  const bool near = std::fabs(a.loglikelihood() - b.loglikelihood()) <= allowed;
  const bool tied = std::max(a.margin(), b.margin()) <= allowed;  // By both, else one could say so.
  return near && (a.is_greedy() == b.is_greedy() || tied);
}

bool agree_exactly(const pb::Response& a, const pb::Response& b) {
  return a.tokens() == b.tokens() && a.loglikelihood() == b.loglikelihood() &&
         a.is_greedy() == b.is_greedy() && a.margin() == b.margin();
}

// Whoever does not say what it loaded is of a version that cannot.
bool is_same_model(const Vote& a, const Vote& b) {
  const bool both_say = !a.model_digest.empty() && !b.model_digest.empty();
  return !both_say || a.model_digest == b.model_digest;
}

}  // namespace

bool is_approximate(const std::string& numeric_class) {
  return numeric_class.starts_with("approximate");
}

bool agree(const Vote& a, const Vote& b) {
  if (!is_same_model(a, b)) return false;
  const bool exactly = a.numeric_class == b.numeric_class && !is_approximate(a.numeric_class);
  return std::equal(a.responses.begin(), a.responses.end(), b.responses.begin(), b.responses.end(),
                    exactly ? agree_exactly : agree_nearly);
}

bool VotingRules::may_give(const std::string& numeric_class) const {
  return std::find(classes.begin(), classes.end(), numeric_class) != classes.end();
}

std::string difference(const Vote& odd_vote, const Vote& other_votes) {
  if (!is_same_model(odd_vote, other_votes)) {
    return "it loaded other bytes of the model: SHA-256 " + odd_vote.model_digest.substr(0, 12) +
           ", others " + other_votes.model_digest.substr(0, 12);
  }
  const auto &odd = odd_vote.responses, &others = other_votes.responses;
  if (odd.size() != others.size()) return "another number of answers";
  size_t most = 0;
  double largest = -1;
  for (size_t i = 0; i < odd.size(); ++i) {
    double by = std::fabs(odd[i].loglikelihood() - others[i].loglikelihood());
    if (odd[i].is_greedy() != others[i].is_greedy()) by += 1e-3;
    if (by > largest) {
      largest = by;
      most = i;
    }
  }
  char text[128];
  std::snprintf(text, sizeof text, "request %zu: log-likelihood %.9g%s, others %.9g%s", most,
                odd[most].loglikelihood(), odd[most].is_greedy() ? " greedy" : "",
                others[most].loglikelihood(), others[most].is_greedy() ? " greedy" : "");
  return text;
}

ItemVotes::Added ItemVotes::add(Vote vote, const VotingRules& rules) {
  if (machines_.contains(vote.machine)) return Added::kRepeat;
  const bool gives_a_value = lacks_candidate_ && rules.may_give(vote.numeric_class);
  if (votes_.size() >= kMostKept && !gives_a_value) return Added::kTooMany;
  machines_.insert(vote.machine);
  const auto place = std::find_if(votes_.begin(), votes_.end(),
                                  [&](const Vote& v) { return v.digest > vote.digest; });
  votes_.insert(place, std::move(vote));
  recount(rules);
  return Added::kNew;
}

bool ItemVotes::distrust(const std::string& machine, const VotingRules& rules) {
  machines_.insert(machine);
  const auto before = votes_.size();
  std::erase_if(votes_, [&](const Vote& vote) { return vote.machine == machine; });
  if (votes_.size() == before) return false;
  recount(rules);
  return true;
}

void ItemVotes::accept_late(const VotingRules& rules) {
  for (Vote& vote : votes_) vote.is_late = false;
  recount(rules);
}

bool ItemVotes::has_owner(const std::string& owner) const {
  return std::any_of(votes_.begin(), votes_.end(),
                     [&](const Vote& vote) { return vote.owner == owner; });
}

size_t ItemVotes::count(const Candidate& votes, const VotingRules& rules) {
  std::set<std::string> owners;
  size_t in_time = 0;
  for (const Vote* vote : votes) {
    if (vote->is_late) continue;
    owners.insert(vote->owner);
    ++in_time;
  }
  return rules.distinct_owners ? owners.size() : in_time;
}

ItemVotes::Candidate ItemVotes::agreeing_with(const Vote& candidate) const {
  Candidate with = {&candidate};
  for (const Vote& vote : votes_) {
    if (&vote != &candidate && agree(candidate, vote)) with.push_back(&vote);
  }
  return with;
}

std::set<std::set<std::string>> ItemVotes::leading_owners() const {
  size_t most = 0;
  std::set<std::set<std::string>> leading;
  for (const Vote& vote : votes_) {
    const Candidate with = agreeing_with(vote);
    if (with.size() < most) continue;
    if (with.size() > most) leading.clear();
    most = with.size();
    std::set<std::string> owners;
    for (const Vote* one : with) owners.insert(one->owner);
    leading.insert(std::move(owners));
  }
  return leading;
}

std::string ItemVotes::leading_class(const VotingRules& rules) const {
  std::string leading;
  size_t most = 0;
  for (const Vote& vote : votes_) {
    const size_t votes = count(agreeing_with(vote), rules);
    if (votes < most || (votes == most && !leading.empty() && vote.numeric_class >= leading)) {
      continue;
    }
    most = votes;
    leading = vote.numeric_class;
  }
  return leading;
}

void ItemVotes::recount(const VotingRules& rules) {
  size_t of_candidates = 0, of_all = 0, most_together = 0;
  lacks_candidate_ = true;
  for (const Vote& vote : votes_) {
    const Candidate with = agreeing_with(vote);
    const size_t votes = count(with, rules);
    of_all = std::max(of_all, votes);
    most_together = std::max(most_together, with.size());
    if (!rules.may_give(vote.numeric_class)) continue;
    lacks_candidate_ = false;
    of_candidates = std::max(of_candidates, votes);
  }
  support_ = lacks_candidate_ ? of_all : of_candidates;
  outvotes_candidates_ = !lacks_candidate_ && of_all > of_candidates;
  disputed_ = most_together < votes_.size();
}

std::optional<ItemVotes::Candidate> ItemVotes::settled_by(size_t enough,
                                                          const VotingRules& rules) const {
  for (const std::string& numeric_class : rules.classes) {
    Candidate best;
    for (const Vote& vote : votes_) {
      if (vote.numeric_class != numeric_class) continue;
      Candidate with = agreeing_with(vote);
      if (count(with, rules) > count(best, rules)) best = std::move(with);
    }
    if (!best.empty() && count(best, rules) >= enough) return best;
  }
  return std::nullopt;
}

size_t ItemVotes::wanted(size_t enough) const {
  const size_t more = enough > support_ ? enough - support_ : 0;
  return lacks_candidate_ ? std::max<size_t>(1, more) : more;
}

}  // namespace muster::roles::coordinator
