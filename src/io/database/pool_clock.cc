#include "io/database/pool_clock.h"

#include <algorithm>

namespace muster::io {
namespace {

constexpr std::chrono::hours kMostBetweenStarts{7 * 24};
constexpr std::chrono::minutes kCountEvery{10};

}  // namespace

void PoolClock::begin(soci::session& sql, std::chrono::milliseconds clock) {
  long long before = 0;
  sql << "SELECT counted_ms FROM clock", soci::into(before);
  const bool first = !sql.got_data();
  const auto most = std::chrono::milliseconds(before) + kMostBetweenStarts;
  counted_ = first ? clock : std::min(clock, most);
  counted_at_ = SteadyClock::now();
  if (first) save(sql);
  ahead_ = clock - counted_;
}

void PoolClock::count_on(soci::session& sql) {
  const auto now = SteadyClock::now();
  if (now - counted_at_ < kCountEvery) return;
  counted_ += std::chrono::duration_cast<std::chrono::milliseconds>(now - counted_at_);
  counted_at_ = now;
  save(sql);
}

void PoolClock::save(soci::session& sql) const {
  const long long value = counted_.count();
  sql << "INSERT INTO clock (id, counted_ms) VALUES (1, :value) "
         "ON CONFLICT (id) DO UPDATE SET counted_ms = excluded.counted_ms",
      soci::use(value);
}

}  // namespace muster::io
