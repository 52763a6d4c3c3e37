#include "io/mesh/admissions.h"

namespace muster::io {

bool Admissions::may_come(const std::string& machine, Instant now) {
  std::deque<Instant>& times = came_[machine];
  while (!times.empty() && now - times.front() >= kWindow) times.pop_front();
  if (times.size() >= kMost) return false;
  times.push_back(now);
  return true;
}

void Admissions::forget_old(Instant now) {
  std::erase_if(came_, [now](const auto& entry) { return now - entry.second.back() >= kWindow; });
}

}  // namespace muster::io
