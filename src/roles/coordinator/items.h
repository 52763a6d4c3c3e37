#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "eval/item.h"
#include "roles/coordinator/votes.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// One item of a job: what is asked, who has answered, what came of it.
struct Item {
  static constexpr int kExcludedAt = 2;  // Failures of one machine on it.

  [[nodiscard]] uint32_t index() const { return requests.item(); }
  [[nodiscard]] bool is_settled() const { return votes_at_settling > 0; }
  [[nodiscard]] bool excludes(const std::string& machine) const;
  [[nodiscard]] std::set<std::string> excluded() const;
  // Its next voter is drawn by lot: some answers do not agree, or an attempt has failed.
  [[nodiscard]] bool needs_lot() const { return votes.disputed() || !failures.empty(); }
  // Nobody had answered before this machine, or nobody has yet.
  [[nodiscard]] bool is_first(const std::string& machine) const {
    return first == machine || (first.empty() && votes.size() == 0);
  }

  const eval::Item* item = nullptr;
  size_t task = 0;
  pb::ItemRequests requests;
  size_t bytes = 0;  // Of text: the measure of work.
  ItemVotes votes;
  std::map<std::string, int> failures;  // By machine.
  std::string last_failure;             // What the engine said.
  Vote value;                           // Once settled; of no machine.
  std::string first;                    // Who answered when nobody else had.
  size_t votes_at_settling = 0;         // 0: open.
  size_t needed = 0;                    // Agreeing votes it still wants, open leases not counted.
  bool is_check = false;                // Adaptive: it gets all votes, whoever answers.
  bool provisional = false;             // Adaptive: one trusted answer is all it wants.
  bool by_machine = false;              // Every owner has voted: votes of machines count.
  bool acknowledged = false;
  std::string chosen;  // Disputed, or failed before: who is to vote next, by lot.
  Instant chosen_until{};
};

// All items of a job: what is asked, who has answered, what is settled, what is still wanted. The
// only place that changes an item, so that what is derived below is always right; only a change of
// the rules, or of what `enough` says, has to be followed by a recount() or refresh_votes_of().
//
// Invariants: wanting() = {i : needed > 0}; votes_wanted() = sum of needed; settled() <= size(); an
// item is provisional only while it is not settled and wants nothing; by_lot() and
// tried_without_candidate() are of wanting().
class Items {
 public:
  static constexpr size_t kMostClasses = 8;  // Named in the result.
  // How many agreeing votes are enough for an item: --redundancy, or 1 where a trusted answer is.
  using Enough = std::function<size_t(const Item&)>;
  using Indices = std::set<uint32_t>;  // In item order.

  Items(size_t redundancy, Enough enough) : redundancy_(redundancy), enough_(std::move(enough)) {}

  // Once, before all else. `rng` draws which items are checks.
  void freeze(std::shared_ptr<const FrozenTasks> tasks, Rng& rng);
  // Why that is more than a pool can carry; empty: it is not.
  [[nodiscard]] std::string too_large() const;

  // The rules have changed for all items; each is to be recounted.
  void set_classes(std::vector<std::string> classes);
  void set_distinct_owners(bool distinct);
  // Counts the votes on an item anew: those of one owner once, or, `by_machine`, each.
  void recount(uint32_t index, bool by_machine);
  // What is enough may have changed for the items that the machine has voted on.
  void refresh_votes_of(const std::string& machine);

  ItemVotes::Added vote(uint32_t index, Vote vote);
  // The machine's vote does not count any more; whether it had one.
  bool distrust(uint32_t index, const std::string& machine);
  // Nobody else can vote: those that came late count like others.
  void accept_late(uint32_t index);
  // Its value is found, with so many votes; once (checked).
  void settle(uint32_t index, Vote value, size_t votes);
  // Its record is kept by all stores. A second time changes nothing.
  void acknowledge(uint32_t index);
  // Some attempt of the machine came to nothing; it counts `weight` towards barring it.
  void fail(uint32_t index, const std::string& machine, int weight, const std::string& why);
  // It excludes a machine; whoever could still try it is looked for from here on.
  void watch_excluded(Instant now, uint32_t index) { excluded_since_.emplace(index, now); }
  // Somebody could.
  void note_hope(Instant now, uint32_t index) { excluded_since_.at(index) = now; }
  void choose(uint32_t index, const std::string& machine, Instant until);

  // Whoever could still vote on it may be gone: it is to be looked at again.
  void leave_alone(uint32_t index) { left_alone_.insert(index); }
  [[nodiscard]] Indices take_left_alone() { return std::exchange(left_alone_, {}); }

  [[nodiscard]] const Item& operator[](uint32_t index) const { return items_[index]; }
  [[nodiscard]] size_t size() const { return items_.size(); }
  [[nodiscard]] auto begin() const { return items_.begin(); }
  [[nodiscard]] auto end() const { return items_.end(); }
  [[nodiscard]] const FrozenTasks& tasks() const { return *tasks_; }
  [[nodiscard]] const std::string& digest() const { return digest_; }  // Of all requests.
  // "tinyMMLU item 17", for a person.
  [[nodiscard]] std::string name_of(const Item& item) const;

  [[nodiscard]] const VotingRules& rules() const { return rules_; }
  [[nodiscard]] const VotingRules& rules_of(const Item& item) const {
    return item.by_machine ? rules_by_machine_ : rules_;
  }
  // Of the answers there were, the first kMostClasses.
  [[nodiscard]] const std::set<std::string>& answered_classes() const { return classes_; }

  [[nodiscard]] const Indices& wanting() const { return wanting_; }
  [[nodiscard]] const Indices& by_lot() const { return by_lot_; }  // Of those: needs_lot().
  // Of those: tried already, and no answer gives a value.
  [[nodiscard]] const Indices& tried_without_candidate() const { return tried_; }
  // Open, and most agree on what no reference class says.
  [[nodiscard]] const Indices& outvoted() const { return outvoted_; }
  // Items that are watched, and when anyone could try them last.
  [[nodiscard]] const std::map<uint32_t, Instant>& excluded_since() const {
    return excluded_since_;
  }
  // Rises with each change that may give work, or take it away.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  [[nodiscard]] size_t votes_wanted() const { return votes_wanted_; }
  [[nodiscard]] size_t settled() const { return settled_; }
  [[nodiscard]] size_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] size_t provisional() const { return provisional_; }

  void check() const;

 private:
  void refresh(Item& item);
  [[nodiscard]] static size_t needed(const Item& item, size_t enough);

  size_t redundancy_;
  Enough enough_;
  VotingRules rules_, rules_by_machine_;  // The latter where every owner has voted.
  std::shared_ptr<const FrozenTasks> tasks_;
  std::vector<Item> items_;
  std::string digest_;
  std::set<std::string> classes_;
  Indices wanting_, by_lot_, tried_, outvoted_, left_alone_;
  std::map<uint32_t, Instant> excluded_since_;
  uint64_t changes_ = 0;
  size_t votes_wanted_ = 0, settled_ = 0, acknowledged_ = 0, provisional_ = 0;
};

}  // namespace muster::roles::coordinator
