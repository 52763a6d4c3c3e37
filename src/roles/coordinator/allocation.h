#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "roles/coordinator/situation.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {

// What is to be done with the machines of a job. Pure, but for what is drawn.

// How many leases with this item there may be for one more to this machine. Whoever may answer
// alone is left alone with it, be it a check: who is checked must not see it by who else is asked.
// While no answer can give the value, the last place is kept for a machine whose answer can.
size_t places(const Situation& situation, const std::string& machine, const Item& item);

// A list of items for an idle machine: what it was drawn for, then from an item drawn by lot
// onwards, so that machines cannot bring about that they get the same list. About ten seconds of
// work by its measured speed, one item while it has none; one that has failed before is tried
// alone. Nothing: there is none for it.
std::optional<Lease> next_shard(const Situation& situation, const std::string& machine, Instant now,
                                Rng& rng);

// The oldest lease that an idle machine may copy: one copy a lease at a time, and only where
// nothing of it was held, answered or failed by it before.
std::optional<LeaseId> lease_to_copy(const Situation& situation, const std::string& machine);
// What of the lease is not answered yet, for this machine: so one slow machine does not hold the
// end up. Nothing: all is.
std::optional<Lease> copy_of(const Situation& situation, const Lease& lease,
                             const std::string& machine, Instant now);

// Whether a machine has, or may get, anything to do here.
bool is_useful(const Situation& situation, const std::string& machine);
// One machine for every vote that is still wanted, and one for each lease that an idle one could
// copy; those that have been getting ready for long do not count.
size_t machines_wanted(const Situation& situation, Instant now);
// Those that have voted on all that is left, cannot serve, or retire: others may have them.
std::vector<std::string> released(const Situation& situation, Instant now);

}  // namespace muster::roles::coordinator
