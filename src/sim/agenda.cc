#include "sim/agenda.h"

#include <algorithm>

namespace muster::sim {

void Agenda::at(Instant when, std::function<void()> what) {
  heap_.push_back({std::max(when, now_), ++sequence_, std::move(what)});
  std::push_heap(heap_.begin(), heap_.end(), later);
}

bool Agenda::run_next(Instant until) {
  if (heap_.empty() || heap_.front().when > until) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  Entry entry = std::move(heap_.back());
  heap_.pop_back();
  now_ = entry.when;
  ++done_;
  entry.what();
  return true;
}

void Agenda::run_until(Instant until) {
  while (run_next(until)) {
  }
  now_ = std::max(now_, until);
}

}  // namespace muster::sim
