#include "io/status/readings.h"

#include <utility>

namespace muster::io {

void Readings::begin(std::function<Reading()> take) {
  std::lock_guard lock(mutex_);
  take_ = std::move(take);
}

void Readings::end() {
  std::lock_guard lock(mutex_);
  take_ = nullptr;
}

Reading Readings::read() {
  std::unique_lock lock(mutex_);
  if (!take_) return last_;
  if (!std::exchange(is_asked_, true)) loop_.ask([this] { take(); });
  taken_.wait_for(lock, kPatience, [this] { return !is_asked_; });
  return last_;
}

void Readings::take() {
  std::lock_guard lock(mutex_);
  if (take_) last_ = take_();
  is_asked_ = false;
  taken_.notify_one();
}

}  // namespace muster::io
