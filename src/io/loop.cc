#include "io/loop.h"

#include <chrono>

namespace muster::io {

Instant Loop::now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<Duration>(since));
}

void Loop::post(pb::Role role, roles::Event event) {
  std::lock_guard lock(mutex_);
  entries_.push_back(Posted{role, std::move(event)});
  wake_.notify_one();
}

bool Loop::offer(pb::Envelope envelope, std::function<void()> taken) {
  const size_t bytes = envelope.SpaceUsedLong();
  std::lock_guard lock(mutex_);
  if (foreign_bytes_ + bytes > kMaxForeignBytes) return false;
  foreign_bytes_ += bytes;
  entries_.push_back(Offered{std::move(envelope), std::move(taken), bytes});
  wake_.notify_one();
  return true;
}

void Loop::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  wake_.notify_one();  // Under the lock: whoever wakes may destroy the loop.
}

std::deque<Loop::Entry> Loop::wait(const host::Driver& driver) {
  const auto due = driver.wake_at();
  std::unique_lock lock(mutex_);
  auto ready = [this] { return stopped_ || !entries_.empty(); };
  if (due) {
    const auto until = std::chrono::steady_clock::time_point(due->time_since_epoch());
    wake_.wait_until(lock, until, ready);
  } else {
    wake_.wait(lock, ready);
  }
  return std::exchange(entries_, {});
}

void Loop::hand_over(host::Driver& driver, Posted& posted) {
  driver.deliver(now(), posted.role, std::move(posted.event));
}

void Loop::hand_over(host::Driver& driver, Offered& offered) {
  driver.receive(now(), std::move(offered.envelope));
  {
    std::lock_guard lock(mutex_);
    foreign_bytes_ -= offered.bytes;
  }
  offered.taken();
}

void Loop::run(host::Driver& driver) {
  while (true) {
    std::deque<Entry> entries = wait(driver);
    for (Entry& entry : entries) {
      std::visit([&](auto& what) { hand_over(driver, what); }, entry);
    }
    driver.tick(now());
    std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
}

}  // namespace muster::io
