#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <variant>

#include "host/driver.h"

namespace muster::io {

// The one thread that owns a process's Driver: waits for what comes in or for the next wake-up,
// and hands it over with the time. Others post.
class Loop : public host::Inbox {
 public:
  void post(pb::Role role, roles::Event event) override;
  void receive(pb::Envelope envelope) override;
  // Makes run() return soon. Safe from any thread, not from a signal handler.
  void stop();

  // Runs until stop(). The driver must not be touched by anyone else meanwhile.
  void run(host::Driver& driver);

  // The time now, on the clock that step() is given.
  static Instant now();

 private:
  struct Posted {
    pb::Role role;
    roles::Event event;
  };
  using Entry = std::variant<Posted, pb::Envelope>;
  void put(Entry entry);
  std::deque<Entry> wait(const host::Driver& driver);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Entry> entries_;
  bool stopped_ = false;
};

}  // namespace muster::io
