#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "roles/role.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {

// Which machine works on which items, and until when.
struct Lease {
  static constexpr Duration kWithoutProgress = seconds(10);

  std::string machine;
  std::vector<uint32_t> items;
  size_t bytes = 0;
  Instant granted{}, deadline{};
  Instant latest{};             // However much progress there is.
  bool is_copy = false;         // Of another lease: the same items on an idle machine.
  bool is_measured = true;      // How long it takes tells the machine's speed.
  std::optional<LeaseId> copy;  // The one copy that there is of it.

  [[nodiscard]] Instant ends() const { return std::min(deadline, latest); }
};

// The open leases of a job. One is (epoch, number): those of an earlier epoch may go on under their
// own name.
//
// Invariants: a machine is at an item while a lease of it with the item is open, be it several; a
// machine and an item that have no open lease cost nothing.
class Leases {
 public:
  explicit Leases(uint64_t epoch) : epoch_(epoch) {}

  // A new one, under a number that nobody holds, whatever was shown of an earlier life of this
  // epoch.
  LeaseId add(Lease lease);
  // One that goes on from before; no other is open under its name (checked).
  void adopt(const LeaseId& id, Lease lease);
  // Nothing when it is not open.
  std::optional<Lease> end(const LeaseId& id);

  // All of these are of open leases (checked).
  void renew(const LeaseId& id, Instant deadline);
  void end_by(const LeaseId& id, Instant latest);  // Only ever earlier.
  void note_copy(const LeaseId& id, const LeaseId& copy);
  // None has a deadline before this.
  void excuse(Instant until);

  [[nodiscard]] const Lease* find(const LeaseId& id) const;  // Null: not open.
  [[nodiscard]] const std::map<LeaseId, Lease>& all() const { return leases_; }
  [[nodiscard]] bool empty() const { return leases_.empty(); }
  // Rises with each that begins, and could be copied, or ends, and could be given out again.
  [[nodiscard]] uint64_t changes() const { return changes_; }
  // Those of a machine.
  [[nodiscard]] const std::set<LeaseId>& of(const std::string& machine) const;
  // The machines that are at an item.
  [[nodiscard]] const std::set<std::string>& holders(uint32_t item) const;
  // An open lease is a copy of it: one whose machine is gone was none.
  [[nodiscard]] bool is_copied(const Lease& lease) const {
    return lease.copy && leases_.contains(*lease.copy);
  }

  void check() const;

 private:
  [[nodiscard]] bool has_another(const std::string& machine, uint32_t item) const;

  uint64_t epoch_;
  uint64_t next_ = 1;
  uint64_t changes_ = 0;
  std::map<LeaseId, Lease> leases_;
  std::map<std::string, std::set<LeaseId>> of_machine_;
  std::map<uint32_t, std::set<std::string>> holders_;  // By item.
};

}  // namespace muster::roles::coordinator
