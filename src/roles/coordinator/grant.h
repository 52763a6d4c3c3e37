#pragma once

#include <string>
#include <vector>

#include "roles/coordinator/items.h"
#include "roles/coordinator/leases.h"
#include "wire/keys.h"
#include "wire/lease_id.h"

namespace muster::roles::coordinator {

// What a machine is sent when it gets a lease: the terms, signed, and the requests.
pb::Envelope grant_of(const pb::JobKey& key, const LeaseId& id, const Lease& lease,
                      const std::string& owner, const Items& items, const Keys& keys);

// "items 0..24" for a console: a range where it is one.
std::string describe(const std::vector<uint32_t>& items);

}  // namespace muster::roles::coordinator
