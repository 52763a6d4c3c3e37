#pragma once

#include <soci/soci.h>

#include <chrono>

namespace muster::io {

// Unix time as a pool has counted it while servers ran, in its database: a clock that is wrong by
// 40 days would otherwise end the retention of every job at one start. Calls throw what SOCI does.
class PoolClock {
 public:
  // Goes on counting from what was counted before, by a week at most. Saved only when it is the
  // first count: one start after the other, in a loop of crashes, moves nothing.
  void begin(soci::session& sql, std::chrono::milliseconds clock);
  void count_on(soci::session& sql);

  // Unix time in milliseconds at begin(), and how far the machine's clock was ahead of it.
  [[nodiscard]] std::chrono::milliseconds counted() const { return counted_; }
  [[nodiscard]] std::chrono::milliseconds ahead() const { return ahead_; }

 private:
  using SteadyClock = std::chrono::steady_clock;
  void save(soci::session& sql) const;

  std::chrono::milliseconds counted_{};  // Until `counted_at_`.
  SteadyClock::time_point counted_at_{};
  std::chrono::milliseconds ahead_{};
};

}  // namespace muster::io
