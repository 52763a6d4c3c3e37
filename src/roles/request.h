#pragma once

#include <optional>
#include <utility>

#include "roles/role.h"

namespace muster::roles {

// A message that is said again every kRepeatEvery until it is answered.
class Request {
 public:
  // From now on this, and at once.
  void say(pb::Envelope envelope) {
    envelope_ = std::move(envelope);
    due_ = {};
  }
  void on_answer() { envelope_.reset(); }
  // Appends it when it is due, and when to come back.
  void send_due(Instant now, Effects& effects) {
    if (!envelope_) return;
    if (due_ <= now) {
      effects.send.push_back({*envelope_});
      due_ = now + kRepeatEvery;
    }
    effects.wake_by(due_);
  }
  // What is being said; null: nothing.
  [[nodiscard]] const pb::Envelope* said() const { return envelope_ ? &*envelope_ : nullptr; }

 private:
  std::optional<pb::Envelope> envelope_;
  Instant due_{};
};

}  // namespace muster::roles
