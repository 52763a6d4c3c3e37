#include "web/board/shared_board.h"

#include <algorithm>

namespace muster::web {

Status SharedBoard::refresh(io::Archive& archive) {
  io::Archive::Place place{.ms = std::max<int64_t>(0, latest_ms_ - kOverlapMs)};
  for (size_t count = kPiece; count == kPiece;) {
    MUSTER_TRY(const auto rows, archive.done_runs(place, kPiece));
    count = rows.size();
    const std::lock_guard lock(mutex_);
    for (const pb::JobRow& row : rows) {
      place = {row.ended_at_ms(), row.job(), row.run()};
      const bool is_new = recent_.emplace(std::pair(row.job(), row.run()), place.ms).second;
      if (!is_new) continue;
      board_.add(row);
      if (is_read_ && news_.size() < kMostNews) news_.push_back(row);
    }
    latest_ms_ = std::max(latest_ms_, place.ms);
  }
  std::erase_if(recent_, [&](const auto& run) { return run.second < latest_ms_ - kOverlapMs; });
  const std::lock_guard lock(mutex_);
  is_read_ = true;
  return {};
}

uint64_t SharedBoard::revision() const {
  const std::lock_guard lock(mutex_);
  return board_.revision();
}

std::vector<pb::JobRow> SharedBoard::take_news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, {});
}

}  // namespace muster::web
