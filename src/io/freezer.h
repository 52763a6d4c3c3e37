#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "host/ports.h"

namespace muster::io {

// Builds requests on a thread of its own: a large task takes seconds.
class Freezer final : public host::Compute {
 public:
  // `inbox` outlives the object.
  explicit Freezer(host::Inbox& inbox);
  ~Freezer() override;
  void freeze(pb::Role owner, const roles::FreezeRequests& freeze) override;

 private:
  void run();

  host::Inbox& inbox_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<pb::Role, roles::FreezeRequests>> work_;
  bool stopped_ = false;
  std::thread thread_;
};

// Every item of every task of a request, in order.
Result<std::shared_ptr<const roles::FrozenTasks>> freeze_requests(const pb::JobRequest& request);

}  // namespace muster::io
