#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// One machine's answer to one item.
struct Vote {
  std::string machine;
  std::string owner;  // Votes of one owner count once where owners must be distinct.
  Digest digest;      // Of its record.
  std::string numeric_class;
  std::vector<pb::Response> responses;  // One per request.
  std::string model_digest;             // Of what it was computed from; empty: not said.
  bool is_late = false;  // Its machine's turn was over: it could have waited to see who else votes.
};

// A class that does not promise equal bits says so in its name.
bool is_approximate(const std::string& numeric_class);

// Whether two answers to the same requests say the same, of the same model as it was loaded: from
// bytes that differ none agree, though the numbers may be close. Within a class that is not
// approximate: bit for bit. Else every log-likelihood within 1e-4 x (1 + tokens), and every greedy
// flag equal unless it is nearer to a tie than that.
bool agree(const Vote& a, const Vote& b);

// Where the odd one's answer differs most from another, for a person: "request 2: -7.1, others
// -5.2".
std::string difference(const Vote& odd, const Vote& others);

// What all items of a job have in common.
struct VotingRules {
  std::vector<std::string> classes;  // A value comes from an answer of one, the earlier first.
  bool distinct_owners = false;      // Agreeing votes must be of distinct owners.

  [[nodiscard]] bool may_give(const std::string& numeric_class) const;  // The value.
};

// The answers to one item. Bounded: one per machine, kMostKept of them, and one more should none of
// those be able to give the value. Once kMostAsked have voted nobody else is asked.
//
// A late vote is one of the answers there are, and settles nothing: else two machines that want to
// agree would need only one turn each, at whatever time. When nobody else can vote it is accepted.
class ItemVotes {
 public:
  static constexpr size_t kMostAsked = 5, kMostKept = 10;

  enum class Added { kNew, kRepeat, kTooMany };
  Added add(Vote vote, const VotingRules& rules);
  // The rules have changed.
  void recount(const VotingRules& rules);
  // Nobody else can vote: those that came late count like others.
  void accept_late(const VotingRules& rules);
  // The machine's vote does not count any more; it is not asked again either. Whether it had one.
  bool distrust(const std::string& machine, const VotingRules& rules);

  // An answer that may give the value, and all that agree with it, itself first.
  using Candidate = std::vector<const Vote*>;
  // The candidate that has `enough` agreeing votes: of the earliest class, with the most votes, of
  // the smallest digest. The same votes give the same one, in whatever order they came.
  [[nodiscard]] std::optional<Candidate> settled_by(size_t enough, const VotingRules& rules) const;

  // Votes still wanted until `enough` agree with a candidate, should all agree from here on. At
  // least 1 while there is no candidate.
  [[nodiscard]] size_t wanted(size_t enough) const;
  // No answer of a class that may give the value.
  [[nodiscard]] bool lacks_candidate() const { return lacks_candidate_; }
  // Answers of other classes that agree have more votes than any that may give the value.
  [[nodiscard]] bool outvotes_candidates() const { return outvotes_candidates_; }
  // The class of an answer that most agree with; the smallest name, if there are several.
  [[nodiscard]] std::string leading_class(const VotingRules& rules) const;
  // Some two votes do not agree.
  [[nodiscard]] bool disputed() const { return disputed_; }
  [[nodiscard]] bool has(const std::string& machine) const { return machines_.contains(machine); }
  [[nodiscard]] bool has_owner(const std::string& owner) const;
  // Of the machines that agree with an answer that most agree with; a set for each such answer.
  [[nodiscard]] std::set<std::set<std::string>> leading_owners() const;
  [[nodiscard]] const std::vector<Vote>& all() const { return votes_; }  // In order of digest.
  [[nodiscard]] size_t size() const { return votes_.size(); }

  // How many of these count: none that is late, one an owner where owners must be distinct.
  [[nodiscard]] static size_t count(const Candidate& votes, const VotingRules& rules);

 private:
  [[nodiscard]] Candidate agreeing_with(const Vote& candidate) const;

  std::vector<Vote> votes_;
  std::set<std::string> machines_;
  size_t support_ = 0;  // Of the best candidate; of any answer while there is no candidate.
  bool lacks_candidate_ = true, disputed_ = false, outvotes_candidates_ = false;
};

}  // namespace muster::roles::coordinator
