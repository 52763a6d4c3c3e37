#include "wire/lease_id.h"

namespace muster::wire {

std::string name_of(const LeaseId& id) {
  return std::to_string(id.epoch) + "." + std::to_string(id.number);
}

pb::LeaseId to_message(const LeaseId& id) {
  pb::LeaseId out;
  out.set_epoch(id.epoch);
  out.set_number(id.number);
  return out;
}

LeaseId to_lease_id(const pb::LeaseId& id) { return {id.epoch(), id.number()}; }

}  // namespace muster::wire
