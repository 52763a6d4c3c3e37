#pragma once

#include <string>
#include <vector>

#include "base/rng.h"
#include "roles/coordinator/situation.h"
#include "wire/keys.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {

// Gives out the work of a job and takes it back.
//
// An idle machine gets a list of items, or copies the oldest open lease; in an order drawn anew
// each time, for who votes with whom is not for the machines to know before. A lease ends when all
// its answers are there, when its items are settled without it, without progress, and in any case
// when it takes too long; whatever has ended can be given out again.
class Leasing {
 public:
  // All of these outlive the object. `rng` draws who gets what.
  Leasing(const pb::JobKey& key, const Keys& keys, Items& items, Leases& leases, Machines& machines,
          Rng& rng)
      : key_(key), keys_(keys), items_(items), leases_(leases), machines_(machines), rng_(rng) {}

  // There may be something to give out that there was not when it was last looked.
  [[nodiscard]] bool has_changed() const { return changes() != seen_; }
  // Gives out what there is.
  void grant_all(Instant now, const Situation& situation, Effects& effects);

  // What the machine holds from before, of these terms: it goes on.
  void adopt(Instant now, const LeaseId& id, const pb::GrantTerms& terms, const pb::HeldLease& held,
             Effects& effects);
  // Answered by `machine`: whatever lease of it has all its answers has ended.
  void close_answered(Instant now, const std::string& machine);
  // The item is settled: whoever works on nothing else but settled items is told to stop.
  void stop_settled(const Item& item, Effects& effects);
  // The lease has come to nothing.
  void close(const LeaseId& id);

  struct Expired {
    Lease lease;
    bool stood = false;  // There was no progress; else it took too long.
  };
  // Ends those whose time is over, and tells their machines.
  std::vector<Expired> expire(Instant now, Effects& effects);

 private:
  void draw_voters(Instant now, const Situation& situation, Effects& effects);
  std::vector<std::string> idle_machines(Instant now, Effects& effects);
  void look_again_at(Instant due, Effects& effects);
  void copy_oldest(Instant now, const Situation& situation, const std::string& machine,
                   Effects& effects);
  LeaseId grant(Lease lease, Effects& effects);
  std::optional<Lease> end(const LeaseId& id);
  void withdraw(const LeaseId& id, Effects& effects);
  void say_withdraw(const std::string& machine, const LeaseId& id, Effects& effects) const;
  [[nodiscard]] uint64_t changes() const {
    return items_.changes() + leases_.changes() + machines_.changes();
  }

  const pb::JobKey& key_;
  const Keys& keys_;
  Items& items_;
  Leases& leases_;
  Machines& machines_;
  Rng& rng_;
  uint64_t seen_ = UINT64_MAX;  // Changes, when it was last looked.
  Instant due_{};               // When something else would be found all the same.
};

}  // namespace muster::roles::coordinator
