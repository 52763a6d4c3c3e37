#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace muster::io {

// Ends calls that hang in a socket: shuts it down under them, so that they fail. One at a time is
// watched.
class Watchdog {
 public:
  Watchdog();
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // While it lives the socket may be used for so long; it must stay open. -1: none is watched.
  class Watch {
   public:
    Watch(Watchdog& dog, int socket, std::chrono::milliseconds patience);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Watchdog& dog_;
  };

 private:
  using Clock = std::chrono::steady_clock;
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  int socket_ = -1;
  Clock::time_point until_{};
  bool is_over_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::io
