#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "roles/coordinator/situation.h"

namespace muster::roles::coordinator {

// Whose answers may be the values of a job: which numeric class is to be committed to the job's row
// next, and whether that is done.
//
// The first is committed before the first lease: the class with the most speed among the machines
// that are ready, once two of one class are, or all that may come. Another one is, when for the
// quorum wait no machine of those on the list could give some item its value, or one alone could
// while two or more of another class wait for it; and when most votes on an item agree on what none
// of them says. A class is asked for until the server has committed it; nothing else is meanwhile.
//
// To see whether one is due costs a look at all items that are wanted; so of changes that follow
// each other fast several are looked at together.
class ReferenceClasses {
 public:
  explicit ReferenceClasses(pb::JobKey key) : key_(std::move(key)) {}

  // Looks whether another class is due, and asks for it. `changed`: something has, since the last
  // call.
  void keep(Instant now, const Situation& situation, bool changed, Duration quorum_wait,
            Effects& effects);
  // The class is to be committed.
  void ask_for(Instant now, const std::string& numeric_class, Effects& effects);
  // The same, again whenever it is due.
  void insist(Instant now, const std::string& numeric_class, Effects& effects);
  // A server on an older copy of the database may not know what gives the values.
  void say_again(Instant now, const VotingRules& rules);
  // The classes of the row, when there is one among them that was not known here.
  std::optional<std::vector<std::string>> on_committed(Instant now,
                                                       const pb::ClassCommitted& committed,
                                                       const VotingRules& rules, Effects& effects);

  [[nodiscard]] bool is_asking() const { return !asked_.empty(); }
  // Some item has no machine that could give its value.
  [[nodiscard]] bool is_lost() const { return lost_since_.has_value(); }

 private:
  pb::JobKey key_;
  std::string asked_;       // On its way to the row.
  Instant due_{};           // To ask again.
  bool must_look_ = false;  // Something has changed since the last look.
  Instant next_look_{};
  std::optional<Instant> lost_since_;
  std::optional<Instant> first_ready_;  // Without a class: when the first machine was ready.
};

}  // namespace muster::roles::coordinator
