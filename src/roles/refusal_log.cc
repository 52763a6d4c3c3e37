#include "roles/refusal_log.h"

#include "wire/envelope.h"

namespace muster::roles {

void RefusalLog::note(const std::string& machine, const std::string& what) {
  if (!refused_.contains(machine) && refused_.size() >= kMostMachines) return;
  Refused& refused = refused_[machine];
  refused.what = what;
  ++refused.times;
}

void RefusalLog::send_due(Instant now, Effects& effects) {
  if (refused_.empty()) return;
  if (due_ > now) return effects.wake_by(due_);
  due_ = now + kRepeatEvery;
  pb::Envelope say = envelope_to_server();
  for (const auto& [machine, refused] : std::exchange(refused_, {})) {
    auto* refusal = say.mutable_refusals()->add_refusals();
    refusal->set_machine(machine);
    refusal->set_what(refused.what);
    refusal->set_times(refused.times);
  }
  effects.send.push_back({std::move(say)});
}

}  // namespace muster::roles
