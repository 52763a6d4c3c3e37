#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "web/live/pool_now.h"

namespace muster::web {

// What became of a pool between two looks at it: who came, went and changed, and how fast items
// settle. Of one thread.
//
// Costs what the pool has, at each look. A machine that has gone keeps its place as long as the
// website runs; kMostGone of them, the earliest are forgotten.
class PoolHistory {
 public:
  static constexpr size_t kMostGone = 10'000;

  // By id, in its order.
  struct Changes {
    std::vector<std::string> machines;  // New, gone, or in another state.
    std::vector<std::string> jobs;      // New, or further, or with another reason.
    std::vector<std::string> over;      // Runs that go on no more.
  };
  // `now_ms`: Unix time; one before the last is taken for the last.
  Changes note(int64_t now_ms, const pb::PoolStatus& status);
  // What the database has, which is slower than the server.
  void note_runs(std::map<std::string, int64_t> runs) { now_.runs = std::move(runs); }
  // How a run ended that was named as over: the items since the look before.
  void note_end(const pb::JobRow& row);

  [[nodiscard]] const PoolNow& now() const { return now_; }

 private:
  // How many items had been settled when.
  struct Mark {
    int64_t ms = 0, items = 0;
  };
  void note_machines(const pb::PoolStatus& status, Changes& changes);
  void note_jobs(const pb::PoolStatus& status, Changes& changes);
  void note_machine(const pb::Machine& machine, Changes& changes);
  void forget_some();
  void count(const std::string& job, const pb::JobRow& row);
  void note_rates();
  [[nodiscard]] bool stores(const std::string& machine) const;
  static double rate(const std::deque<Mark>& marks, int64_t from_ms, int64_t until_ms);

  PoolNow now_;
  int64_t next_number_ = 1;
  int64_t settled_ = 0;     // Of all runs, since the first look.
  std::deque<Mark> marks_;  // Of all runs.
  struct Counted {
    uint32_t run = 0;
    int64_t items = 0;
    std::deque<Mark> marks;
  };
  std::map<std::string, Counted> counted_;  // By job: those that go on, or are to end.
};

}  // namespace muster::web
