#include "roles/coordinator/backoffs.h"

#include <algorithm>

namespace muster::roles::coordinator {

const Backoffs::Entry& Backoffs::add(Instant now, const std::string& machine, Error why,
                                     Duration first) {
  Entry& entry = entries_[machine];
  const int doublings = std::min(entry.times++, 8);
  entry.why = std::move(why);
  entry.until = now + std::min(kLongest, first * (1 << doublings));
  return entry;
}

bool Backoffs::waits(Instant now, const std::string& machine) const {
  auto found = entries_.find(machine);
  return found != entries_.end() && now < found->second.until;
}

}  // namespace muster::roles::coordinator
