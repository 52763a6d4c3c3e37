#include "roles/server/coordinators.h"

#include <algorithm>

#include "base/probe.h"

namespace muster::roles::server {

Coordinators::Coordinators(Instant started, const std::vector<std::string>& named, pb::PoolRow row,
                           WriteIds& ids)
    : row_(std::move(row)), pending_(ids) {
  if (named.empty()) return;
  row_.clear_coordinators();
  for (const std::string& machine : named) row_.add_coordinators(machine);
  pending_.put_off(started, row_);
}

std::string Coordinators::refuse(const std::string& machine, Effects& effects) {
  const auto& known = row_.coordinators();
  if (std::find(known.begin(), known.end(), machine) != known.end()) return "";
  if (known.empty()) {
    row_.add_coordinators(machine);
    pending_.write(row_, effects);
    return "";
  }
  MUSTER_PROBE("a coordinator that nobody named is refused");
  std::string flags;
  for (const std::string& name : known) flags.append(" --coordinator ").append(name);
  return "this pool's coordinator is another machine; to add this one, start the server with" +
         flags + " --coordinator " + machine;
}

bool Coordinators::settle(Instant now, const Stored& stored) {
  auto settled = pending_.settle(now, stored);
  if (!settled) return false;
  const bool failed = settled->outcome == Outcome::kFailed;
  if (failed) pending_.put_off(now + kRepeatEvery, std::move(*settled->row));
  return true;
}

}  // namespace muster::roles::server
