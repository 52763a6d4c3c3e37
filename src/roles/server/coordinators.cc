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
    write(effects);
    return "";
  }
  MUSTER_PROBE("a coordinator that nobody named is refused");
  std::string flags;
  for (const std::string& name : known) flags.append(" --coordinator ").append(name);
  return "this pool's coordinator is another machine; to add this one, start the server with" +
         flags + " --coordinator " + machine;
}

std::string Coordinators::admit(const std::string& machine, const std::set<std::string>& here,
                                Effects& effects) {
  auto& known = *row_.mutable_coordinators();
  if (std::find(known.begin(), known.end(), machine) != known.end()) return "";
  const auto away = std::find_if(known.begin(), known.end(),
                                 [&](const std::string& name) { return !here.contains(name); });
  if (known.size() >= kMost) {
    if (away == known.end()) return "as many coordinators as a pool has are here already";
    known.erase(away);
  }
  *known.Add() = machine;
  write(effects);
  return "";
}

void Coordinators::forget(const std::string& machine, Effects& effects) {
  auto& known = *row_.mutable_coordinators();
  const auto found = std::find(known.begin(), known.end(), machine);
  if (found == known.end()) return;
  known.erase(found);
  write(effects);
}

void Coordinators::write(Effects& effects) {
  if (!pending_.empty()) {
    has_changed_ = true;
    return;
  }
  pending_.write(row_, effects);
}

bool Coordinators::settle(Instant now, const Stored& stored) {
  const auto settled = pending_.settle(now, stored);
  if (!settled) return false;
  if (settled->outcome == Outcome::kUnknown) return true;
  const bool failed = settled->outcome == Outcome::kFailed;
  const bool is_old = std::exchange(has_changed_, false);
  if (failed || is_old) pending_.put_off(failed ? now + kRepeatEvery : now, row_);
  return true;
}

}  // namespace muster::roles::server
