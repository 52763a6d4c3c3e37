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
};

// Whether two answers to the same requests say the same: every log-likelihood within
// 1e-4 x (1 + tokens), and every greedy flag equal unless it is nearer to a tie than that.
bool agree(const std::vector<pb::Response>& a, const std::vector<pb::Response>& b);

// The answers to one item. Bounded: one per machine, at most kMost.
class ItemVotes {
 public:
  static constexpr size_t kMost = 5;

  enum class Added { kNew, kRepeat, kTooMany };
  Added add(Vote vote);

  // Whether agreeing votes must be of distinct owners; a vote of each is wanted then.
  void set_distinct_owners(bool distinct);

  // The votes that agree with each other and are the most; of several such sets the one whose
  // value has the smallest digest. The first of them, by digest, gives the value. Empty when there
  // are no votes. The same votes give the same set, in whatever order they came.
  [[nodiscard]] std::vector<const Vote*> agreeing() const;
  // How many of them count: one an owner, where owners must be distinct.
  [[nodiscard]] size_t most_agreeing() const { return most_agreeing_; }
  // Some two votes do not agree.
  [[nodiscard]] bool disputed() const { return disputed_; }
  [[nodiscard]] bool has(const std::string& machine) const { return machines_.contains(machine); }
  [[nodiscard]] bool has_owner(const std::string& owner) const;
  [[nodiscard]] size_t size() const { return votes_.size(); }
  [[nodiscard]] const std::set<std::string>& machines() const { return machines_; }

 private:
  std::vector<Vote> votes_;  // In order of digest.
  std::set<std::string> machines_;
  [[nodiscard]] size_t count(const std::vector<const Vote*>& votes) const;
  void recount();

  bool distinct_owners_ = false, disputed_ = false;
  size_t most_agreeing_ = 0;
};

}  // namespace muster::roles::coordinator
