#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

namespace muster::io {

// Counts what may happen very often and says when it should be told: the first one at once, then
// once every kEvery with how many there were. Guards itself.
class Seldom {
 public:
  static constexpr std::chrono::seconds kEvery{10};

  // How many there were since it was last told, this one included; 0: not now.
  uint64_t count(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) {
    std::lock_guard lock(mutex_);
    ++untold_;
    if (told_ && now - last_ < kEvery) return 0;
    told_ = true;
    last_ = now;
    return std::exchange(untold_, 0);
  }

 private:
  std::mutex mutex_;
  uint64_t untold_ = 0;
  bool told_ = false;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace muster::io
