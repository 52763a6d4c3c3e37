#pragma once

#include <deque>
#include <string>

#include "base/time.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// When the server hears of a run, and what has happened in it that a person may want to know of a
// machine. Messages may be lost, so each thing is said in every report for a while; the server
// knows it by its number.
class Report {
 public:
  static constexpr size_t kMost = 50;  // Said in one report; the oldest goes for a newer one.
  static constexpr Duration kSaidFor = seconds(5), kEvery = milliseconds(500);

  void note_event(Instant now, const std::string& machine, const std::string& text);
  // Whether one is due, which is so once every kEvery; wakes the process for the next.
  bool begin(Instant now, Effects& effects);
  void add_events(Instant now, pb::JobProgress& progress);

 private:
  struct Said {
    pb::JobEvent event;
    Instant until{};
  };
  std::deque<Said> said_;
  uint64_t next_ = 1;
  Instant due_{};
};

}  // namespace muster::roles::coordinator
