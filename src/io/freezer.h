#pragma once

#include "host/ports.h"
#include "io/work_thread.h"

namespace muster::io {

// Builds requests on a thread of its own: a large task takes seconds. kMostWaiting jobs may wait;
// one on top is answered by kTryLater.
class Freezer final : public host::Compute {
 public:
  static constexpr size_t kMostWaiting = 10'000;

  // `inbox` outlives the object.
  explicit Freezer(host::Inbox& inbox);
  void freeze(pb::Role owner, const roles::FreezeRequests& freeze) override;

 private:
  struct Work {
    pb::Role owner;
    roles::FreezeRequests freeze;
  };
  host::Inbox& inbox_;
  WorkThread<Work> thread_;
};

}  // namespace muster::io
