#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"

namespace muster::sim {

// Virtual time: what is to happen, in order of when; what is for the same instant happens in the
// order it was put in. Nothing else makes time pass.
class Agenda {
 public:
  explicit Agenda(Instant start) : now_(start) {}

  [[nodiscard]] Instant now() const { return now_; }
  // `when` in the past means now.
  void at(Instant when, std::function<void()> what);
  void in(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  // Does the next thing that is due no later than `until`; false when there is none.
  bool run_next(Instant until);
  // Does everything up to then; it is then `until`.
  void run_until(Instant until);
  [[nodiscard]] uint64_t done() const { return done_; }

 private:
  struct Entry {
    Instant when;
    uint64_t sequence;
    size_t place;  // In whats_: what is cheap to move about is all that the heap moves.
  };
  static bool later(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.sequence > b.sequence;
  }

  Instant now_;
  uint64_t sequence_ = 0, done_ = 0;
  std::vector<Entry> heap_;
  std::vector<std::function<void()>> whats_;
  std::vector<size_t> free_places_;
};

}  // namespace muster::sim
