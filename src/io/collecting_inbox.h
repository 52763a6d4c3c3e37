#pragma once

#include <condition_variable>
#include <mutex>
#include <vector>

#include "host/ports.h"

namespace muster::io {

// For tests: keeps the events that a port posts until they are asked for.
class CollectingInbox final : public host::Inbox {
 public:
  void post(pb::Role, roles::Event event) override {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    arrived_.notify_one();
  }
  void receive(pb::Envelope) override {}
  // The next event; waits for it.
  roles::Event wait_any() {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return !events_.empty(); });
    roles::Event event = std::move(events_.front());
    events_.erase(events_.begin());
    return event;
  }
  // The same, which is a T.
  template <typename T>
  T wait() {
    return std::get<T>(wait_any());
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<roles::Event> events_;
};

}  // namespace muster::io
