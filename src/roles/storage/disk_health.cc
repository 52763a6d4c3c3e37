#include "roles/storage/disk_health.h"

#include "base/probe.h"
#include "wire/envelope.h"

namespace muster::roles::storage {
namespace {

constexpr Duration kProbeEvery = seconds(10);

}  // namespace

void DiskHealth::note_failure(Instant now, const std::string& why, Effects& effects) {
  if (!problem_.empty()) return;
  problem_ = why;
  ++number_;
  tell_at_ = now;
  probe_at_ = now + kProbeEvery;
  effects.warn("storage: cannot write, so this machine leaves the view: " + why);
}

bool DiskHealth::is_overdue(Instant now, bool owes, Effects& effects) {
  if (!owes || !problem_.empty()) {
    asked_.reset();
    return false;
  }
  if (!asked_) asked_ = now;
  const Instant due = *asked_ + kPatience;
  if (now < due) {
    effects.wake_by(due);
    return false;
  }
  MUSTER_PROBE("a disk does not answer");
  return true;
}

DiskHealth::Probed DiskHealth::settle(const Stored& stored, Effects& effects) {
  if (stored.id != probe_) return Probed::kNotMine;
  probe_ = 0;
  if (stored.outcome != Outcome::kDone) return Probed::kInVain;
  effects.note("storage: it can be written again");
  problem_.clear();
  ++number_;
  return Probed::kRecovered;
}

void DiskHealth::keep(Instant now, WriteId& next_write, Effects& effects) {
  if (problem_.empty() && !excluded_) return;
  if (tell_at_ <= now) {
    tell(effects);
    tell_at_ = now + kRepeatEvery;
  }
  if (!problem_.empty() && probe_at_ <= now && probe_ == 0) {
    probe_ = next_write++;
    probe_at_ = now + kProbeEvery;
    effects.writes.push_back({probe_, ProbeSpace{kProbeBytes}});
  }
  effects.wake_by(tell_at_);
}

void DiskHealth::tell(Effects& effects) const {
  pb::Envelope say = envelope_to_server();
  say.mutable_store_state()->set_problem(problem_);
  say.mutable_store_state()->set_number(number_);
  effects.send.push_back({std::move(say)});
}

}  // namespace muster::roles::storage
