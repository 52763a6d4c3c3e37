#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "io/database/archive.h"
#include "web/board/board.h"

namespace muster::web {

// The board as one thread reads it out of the database and others look at it.
class SharedBoard {
 public:
  // Reads what is done since it was called last. Rows may be committed a little later than they
  // say they ended, so the last kOverlap are read again.
  Status refresh(io::Archive& archive);
  // Calls `look` while nobody changes it.
  template <typename Look>
  auto with(Look&& look) {
    const std::lock_guard lock(mutex_);
    return look(board_);
  }
  [[nodiscard]] uint64_t revision() const;
  // Runs that came since this was called last; none of those that were there at the first refresh.
  [[nodiscard]] std::vector<pb::JobRow> take_news();

 private:
  static constexpr int64_t kOverlapMs = 60'000;
  static constexpr size_t kPiece = 500, kMostNews = 100;

  mutable std::mutex mutex_;  // Guards what follows.
  Board board_;
  std::vector<pb::JobRow> news_;
  bool is_read_ = false;

  // Of the thread that refreshes.
  int64_t latest_ms_ = 0;
  std::map<std::pair<std::string, uint32_t>, int64_t>
      recent_;  // Runs that were read, by their end.
};

}  // namespace muster::web
