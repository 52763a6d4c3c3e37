#pragma once

#include <chrono>
#include <cstdint>

namespace muster {

// A clock that cannot be looked at: it has no now(). Time reaches the roles as an argument of
// step(), from the real clock in io/ or the simulated one in sim/.
struct PoolClock {
  using rep = int64_t;
  using period = std::micro;
  using duration = std::chrono::duration<rep, period>;
  using time_point = std::chrono::time_point<PoolClock>;
  static constexpr bool is_steady = true;
};

using Duration = PoolClock::duration;
using Instant = PoolClock::time_point;

using std::chrono::milliseconds;
using std::chrono::seconds;

inline double to_seconds(Duration d) { return static_cast<double>(d.count()) / 1e6; }
inline Duration from_seconds(double s) { return Duration(static_cast<int64_t>(s * 1e6)); }

}  // namespace muster
