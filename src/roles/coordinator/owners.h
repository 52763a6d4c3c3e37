#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "roles/coordinator/items.h"
#include "roles/coordinator/leases.h"
#include "roles/coordinator/machines.h"

namespace muster::roles::coordinator {

// Whose machines may yet vote in a job: votes of one owner count once, as long as somebody else's
// could come.
//
// An owner is able while a machine of his that is lent here could serve, and has not sat on a lease
// for kPatience; for kMayReturn after such a machine has left, since most come back at once; and
// while one could be lent, though it be at work elsewhere: not for ever, but until nobody has voted
// for kPatience.
class Owners {
 public:
  static constexpr Duration kPatience = seconds(60);
  static constexpr Duration kMayReturn = seconds(10);

  // What the server says: the pool has machines of several owners, and of whom there are others
  // that could be lent.
  void set_many(bool many) { many_ = many; }
  void set_others(std::set<std::string> others) { others_ = std::move(others); }
  // A machine of his is lent to the job; one is not any more, though it could serve.
  void on_arrival(Instant now, const std::string& owner);
  void on_left(Instant now, const std::string& owner) { may_return_[owner] = now + kMayReturn; }
  void on_vote(Instant now) { last_vote_ = now; }

  // Looks who is able now; whether that is news, or what set_many() said.
  bool look(Instant now, const Machines& machines, const Leases& leases, bool wants_votes,
            Effects& effects);

  // In order of name; with all of them known, unless after a new line nobody knows who will be
  // back.
  [[nodiscard]] const std::set<std::string>& able() const { return able_; }
  [[nodiscard]] bool are_known() const { return are_known_; }
  // A machine of his may come that is not lent now.
  [[nodiscard]] bool may_come(const std::string& owner) const {
    return others_.contains(owner) || may_return_.contains(owner);
  }
  // Votes must be of distinct owners, unless only machines of one can vote and none of another has.
  [[nodiscard]] bool must_be_distinct(const Items& items) const;
  [[nodiscard]] Instant last_vote() const { return last_vote_; }

 private:
  [[nodiscard]] std::vector<std::string_view> able_now(Instant now, const Machines& machines,
                                                       const Leases& leases) const;
  [[nodiscard]] bool is_one(const Items& items) const;

  bool many_ = false, judged_many_ = false;  // The latter when it was last looked.
  bool are_known_ = true;
  bool waits_for_others_ = true;
  std::set<std::string> others_;
  std::set<std::string> able_;
  std::map<std::string, Instant> may_return_;  // Until when.
  Instant last_vote_{};
};

}  // namespace muster::roles::coordinator
