#pragma once

#include <functional>

#include "host/ports.h"

namespace muster::io {

// An inbox for what comes over a line: says whether it took it, and when it is through with it.
class Intake : public host::Inbox {
 public:
  // False when too much waits already: the envelope is dropped and `taken` never called. Else
  // `taken` is called once, from any thread, when the envelope has been dealt with; not if the
  // intake ends before. Bounds of the intake say what "too much" is.
  virtual bool offer(pb::Envelope envelope, std::function<void()> taken) = 0;
  void receive(pb::Envelope envelope) override {
    offer(std::move(envelope), [] {});
  }
};

}  // namespace muster::io
