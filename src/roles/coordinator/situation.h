#pragma once

#include <set>
#include <string>

#include "roles/coordinator/items.h"
#include "roles/coordinator/leases.h"
#include "roles/coordinator/machines.h"
#include "roles/coordinator/owners.h"
#include "roles/coordinator/standings.h"

namespace muster::roles::coordinator {

// What the decisions about a job look at: the same situation, the same answer. Valid while the
// parts are.
struct Situation {
  const Items& items;
  const Leases& leases;
  const Machines& machines;
  const Owners& owners;
  const Standings& standings;
  bool adaptive = false;  // --redundancy auto: a trusted machine may answer alone.

  // The machines that are at the item.
  [[nodiscard]] const std::set<std::string>& holders(const Item& item) const {
    return leases.holders(item.index());
  }
  // The machine's answers may be values.
  [[nodiscard]] bool is_reference(const std::string& machine) const {
    const std::string* its_class = machines.class_of(machine);
    return its_class != nullptr && items.rules().may_give(*its_class);
  }
};

}  // namespace muster::roles::coordinator
