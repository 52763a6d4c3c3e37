#pragma once

#include "host/ports.h"
#include "io/hub.h"
#include "io/work_thread.h"

namespace muster::io {

// Asks the Hub which commit a name means, on a thread of its own.
class ModelLookup final : public host::Hub {
 public:
  // `inbox` outlives the object.
  explicit ModelLookup(host::Inbox& inbox);
  void pin(pb::Role owner, const roles::PinModel& pin) override;

 private:
  struct Work {
    pb::Role owner;
    roles::PinModel pin;
  };
  host::Inbox& inbox_;
  io::Hub hub_;
  WorkThread<Work> thread_;
};

}  // namespace muster::io
