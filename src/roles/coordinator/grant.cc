#include "roles/coordinator/grant.h"

#include <algorithm>

#include "roles/grants.h"
#include "wire/envelope.h"

namespace muster::roles::coordinator {

pb::Envelope grant_of(const pb::JobKey& key, const LeaseId& id, const Lease& lease,
                      const std::string& owner, const Items& items, const Keys& keys) {
  pb::Envelope envelope = envelope_to(address(pb::ROLE_WORKER, lease.machine));
  pb::Grant& grant = *envelope.mutable_grant();
  *grant.mutable_key() = key;
  *grant.mutable_lease() = to_message(id);
  pb::GrantTerms terms;
  terms.set_lease(id.number);
  terms.set_machine(lease.machine);
  terms.set_owner(owner);
  terms.mutable_items()->Add(lease.items.begin(), lease.items.end());
  *grant.mutable_terms() = sign_grant(key, terms, keys);
  for (uint32_t i : lease.items) *grant.add_items() = items[i].requests;
  return envelope;
}

std::string describe(const std::vector<uint32_t>& items) {
  const std::string first = std::to_string(items.front());
  if (items.size() == 1) return "item " + first;
  const auto apart = [](uint32_t a, uint32_t b) { return b != a + 1; };
  const bool range = std::adjacent_find(items.begin(), items.end(), apart) == items.end();
  return "items " + first + (range ? ".." : " to ") + std::to_string(items.back());
}

}  // namespace muster::roles::coordinator
