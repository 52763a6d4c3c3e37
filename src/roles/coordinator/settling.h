#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "roles/coordinator/journal.h"
#include "roles/coordinator/leasing.h"
#include "roles/coordinator/situation.h"

namespace muster::roles::coordinator {

// What the votes on an item come to. It settles with `redundancy` votes that agree, of distinct
// machines (of distinct owners, while one that has not voted could), one of them of a reference
// class, whose answer is the value; a late one settles nothing while others can vote. Then the
// value is written, and every vote on the item is judged by it, whenever it comes.
//
// Until the run's records are read nothing settles. Then what a coordinator of a lower epoch
// settled is adopted as it is: the value and the votes stay, the record is this epoch's. Where the
// rules change, or whose votes count, the votes are counted anew.
//
// With --redundancy auto a trusted machine answers alone, and its item is provisional: open again
// should the machine be charged, settled at the very end. A store can read what others answered, so
// it earns no trust by an answer after theirs.
class Settling {
 public:
  // All of them outlive the object.
  struct Parts {
    Items& items;
    Leases& leases;
    Machines& machines;
    Owners& owners;
    Standings& standings;
    Journal& journal;
    Leasing& leasing;
  };
  Settling(const pb::JobKey& key, size_t redundancy, bool adaptive, const Parts& parts)
      : key_(key), redundancy_(redundancy), adaptive_(adaptive), parts_(parts) {}

  // ---- What was read, and what comes in.

  // False: it does not fit the item's requests, and does not count.
  [[nodiscard]] bool take_answer(Instant now, const OpenedRecord& opened, const std::string& owner,
                                 Effects& effects);
  // What another coordinator of this run settled before; of an item the highest epoch counts.
  void take_settled(const OpenedRecord& opened);
  // The class of such a value that may give none, as far as the rules know; null: there is none.
  [[nodiscard]] const std::string* unknown_class() const;
  // All is read.
  void begin(Instant now, Effects& effects);
  // Nothing is settled any more.
  void end() { running_ = false; }

  // ---- Whose votes count.

  // The server says how machines stood before this job, and whose votes do not count at all.
  void hear_standings(Instant now, const pb::Lend& lend, Effects& effects);
  // One machine of another owner that cannot work, or is wrong, neither holds the others up nor
  // outvotes them.
  void watch_owners(Instant now, Effects& effects);
  // Whoever could still vote on an item may be gone.
  void look_again_at_disputes();
  void recount(const Item& item);
  // The rules have changed.
  void recount_all(Instant now, Effects& effects);

  // ---- At the end.

  // Everything else is settled, and every check has come out well: what trusted machines said alone
  // stands.
  void settle_provisional(Instant now, Effects& effects);
  // Why it does not go on where nobody can vote.
  struct Impasse {
    // The reference class is outvoted: this one gives the values.
    std::optional<std::string> leading_class;
    std::optional<Error> dispute;  // The answers do not agree.
  };
  // Nobody can vote any more: settles what has agreeing votes on those it has, up to the first item
  // that cannot be settled so.
  [[nodiscard]] Impasse settle_whatever_agrees(Instant now, Effects& effects);

 private:
  struct Adopted {
    uint64_t epoch = 0;
    pb::Settled settled;
  };
  void adopt(Instant now, const Adopted& adopted, Effects& effects);
  void settle(const pb::Settled& settled, size_t votes);
  void settle_if_agreed(Instant now, const Item& item, size_t enough, Effects& effects);
  void recount_and_settle(Instant now, const Item& item, Effects& effects);
  void count_by_machine(Instant now, const Item& item, Effects& effects);
  void judge(Instant now, const Item& item, const Vote& vote, Effects& effects);
  void credit(const Item& item, const Vote& vote);
  void charge(Instant now, const Item& item, const Vote& vote, Effects& effects);
  void refresh_votes_of(const std::string& machine);
  [[nodiscard]] Error dispute_on(const Item& item) const;
  [[nodiscard]] Situation situation() const;

  const pb::JobKey& key_;
  size_t redundancy_;
  bool adaptive_;
  Parts parts_;
  bool running_ = false;
  std::map<uint32_t, Adopted> adopted_;  // Until begin(), by item.
};

}  // namespace muster::roles::coordinator
