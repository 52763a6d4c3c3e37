#include "sim/agenda.h"

#include <algorithm>
#include <utility>

namespace muster::sim {

void Agenda::at(Instant when, std::function<void()> what) {
  if (free_places_.empty()) {
    free_places_.push_back(whats_.size());
    whats_.emplace_back();
  }
  const size_t place = free_places_.back();
  free_places_.pop_back();
  whats_[place] = std::move(what);
  heap_.push_back({std::max(when, now_), ++sequence_, place});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool Agenda::run_next(Instant until) {
  if (heap_.empty() || heap_.front().when > until) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  const Entry entry = heap_.back();
  heap_.pop_back();
  now_ = entry.when;
  ++done_;
  const auto what = std::exchange(whats_[entry.place], nullptr);
  free_places_.push_back(entry.place);
  what();
  return true;
}

void Agenda::run_until(Instant until) {
  while (run_next(until)) {
  }
  now_ = std::max(now_, until);
}

}  // namespace muster::sim
