#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace muster::io {

// Calls `tick` once every `period` on a thread of its own, until it is destroyed; that waits for a
// tick under way.
class Ticker {
 public:
  using Clock = std::chrono::steady_clock;
  Ticker(std::chrono::milliseconds period, std::function<void(Clock::time_point)> tick)
      : period_(period), tick_(std::move(tick)), thread_([this] { run(); }) {}
  ~Ticker() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      wake_.notify_one();
    }
    thread_.join();
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, period_, [this] { return stopped_; })) {
      lock.unlock();
      tick_(Clock::now());
      lock.lock();
    }
  }

  const std::chrono::milliseconds period_;
  const std::function<void(Clock::time_point)> tick_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::io
