#include "io/loop.h"

#include <algorithm>
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

void Loop::ask(std::function<void()> what) {
  std::lock_guard lock(mutex_);
  entries_.push_back(Asked{std::move(what)});
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

void Loop::leave(std::function<void()> may_leave) {
  std::lock_guard lock(mutex_);
  may_leave_ = std::move(may_leave);
  wake_.notify_one();
}

std::deque<Loop::Entry> Loop::wait(const host::Driver& driver) {
  const Instant due = std::min(driver.wake_at().value_or(Instant::max()), move() + kMovesEvery);
  const auto until = std::chrono::steady_clock::time_point(due.time_since_epoch());
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, until, [this] { return stopped_ || may_leave_ || !entries_.empty(); });
  return std::exchange(entries_, {});
}

Instant Loop::move() {
  const Instant at = now();
  moved_ = at;
  return at;
}

Duration Loop::still_for() const {
  const Instant moved = moved_;
  return moved == kNotRunning ? Duration::zero() : std::max(now() - moved, Duration::zero());
}

void Loop::hand_over(host::Driver& driver, Posted& posted) {
  driver.deliver(move(), posted.role, std::move(posted.event));
}

void Loop::hand_over(host::Driver& driver, Offered& offered) {
  driver.receive(move(), std::move(offered.envelope));
  {
    std::lock_guard lock(mutex_);
    foreign_bytes_ -= offered.bytes;
  }
  offered.taken();
}

void Loop::hand_over(host::Driver&, Asked& asked) {
  move();
  asked.what();
}

void Loop::run(host::Driver& driver) {
  while (true) {
    std::deque<Entry> entries = wait(driver);
    for (Entry& entry : entries) {
      std::visit([&](auto& what) { hand_over(driver, what); }, entry);
    }
    driver.tick(move());
    std::unique_lock lock(mutex_);
    if (stopped_) break;
    auto may_leave = std::exchange(may_leave_, nullptr);
    lock.unlock();
    if (may_leave) driver.leave(move(), std::move(may_leave));
  }
  moved_ = kNotRunning;
}

}  // namespace muster::io
