#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <string>

namespace muster::io {

// How often a machine may open its line: each time is news to everybody, and a reason to write
// down. kMost times in kWindow; who comes more often waits until the first of them is kWindow ago.
// About 1 KiB a machine of the last minute. Not guarded.
class Admissions {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kWindow{60};
  static constexpr size_t kMost = 60;

  // The machine opens a line: whether it may.
  bool may_come(const std::string& machine, Instant now);
  // Forgets what is over; call it every now and then.
  void forget_old(Instant now);

 private:
  std::map<std::string, std::deque<Instant>> came_;  // kMost each, of machines of the last kWindow.
};

}  // namespace muster::io
