#include "io/loop.h"

#include <chrono>

namespace muster::io {

Instant Loop::now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Instant(std::chrono::duration_cast<Duration>(since));
}

void Loop::put(Entry entry) {
  {
    std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
  }
  wake_.notify_one();
}

void Loop::post(pb::Role role, roles::Event event) { put(Posted{role, std::move(event)}); }

void Loop::receive(pb::Envelope envelope) { put(std::move(envelope)); }

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

void Loop::run(host::Driver& driver) {
  while (true) {
    std::deque<Entry> entries = wait(driver);
    for (Entry& entry : entries) {
      if (auto* posted = std::get_if<Posted>(&entry)) {
        driver.deliver(now(), posted->role, std::move(posted->event));
      } else {
        driver.receive(now(), std::move(std::get<pb::Envelope>(entry)));
      }
    }
    driver.tick(now());
    std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
}

}  // namespace muster::io
