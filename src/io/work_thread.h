#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace muster::io {

// A thread of its own that works through a queue, taking everything that waits at once; nothing,
// when nothing came for `idle`. `most` may wait; what comes on top is not taken. Destroying it lets
// what is under way finish and drops the rest.
template <typename Work>
class WorkThread {
 public:
  WorkThread(std::function<void(std::deque<Work>)> take, size_t most,
             std::optional<std::chrono::seconds> idle = {})
      : take_(std::move(take)), most_(most), idle_(idle), thread_([this] { run(); }) {}
  WorkThread(const WorkThread&) = delete;
  WorkThread& operator=(const WorkThread&) = delete;
  ~WorkThread() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  // False: so many wait already, and it is not taken.
  [[nodiscard]] bool put(Work work) {
    {
      std::lock_guard lock(mutex_);
      if (work_.size() >= most_) return false;
      work_.push_back(std::move(work));
    }
    wake_.notify_one();
    return true;
  }

 private:
  void run() {
    while (true) {
      std::unique_lock lock(mutex_);
      const auto ready = [this] { return stopped_ || !work_.empty(); };
      idle_ ? void(wake_.wait_for(lock, *idle_, ready)) : wake_.wait(lock, ready);
      if (stopped_) return;
      std::deque<Work> work = std::exchange(work_, {});
      lock.unlock();
      take_(std::move(work));
    }
  }

  std::function<void(std::deque<Work>)> take_;
  const size_t most_;
  const std::optional<std::chrono::seconds> idle_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;  // most_; see put().
  bool stopped_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::io
