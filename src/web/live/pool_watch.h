#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "base/result.h"
#include "io/database/archive.h"
#include "web/board/shared_board.h"
#include "web/live/event_log.h"
#include "web/live/pool_history.h"

namespace muster::web {

// Looks at the pool for all who look at the website: one question every kEvery, however many pages
// are open. What has changed goes into the log of events; what is over, and what it scored, is read
// in the database. A thread of its own.
class PoolWatch {
 public:
  static constexpr std::chrono::seconds kEvery{2};

  struct Sources {
    std::function<Result<pb::PoolStatus>()> status;  // May block.
    io::Archive& archive;
    SharedBoard& board;
    EventLog& events;
    std::function<void(const std::string& news)> on_news;  // For the log.
  };
  // What is named outlives the object.
  explicit PoolWatch(Sources sources);
  ~PoolWatch();
  PoolWatch(const PoolWatch&) = delete;
  PoolWatch& operator=(const PoolWatch&) = delete;

  void begin();
  // The last look; null before the first. Any thread.
  [[nodiscard]] std::shared_ptr<const PoolNow> now() const;
  // Why the pool's server was not heard at the last look; empty: it was. Any thread.
  [[nodiscard]] std::string silence() const;

  // One look, as the thread does it.
  void look(int64_t now_ms);

 private:
  void run();
  Status read_database();
  void tell(const PoolHistory::Changes& changes);
  void tell_machines(const std::vector<std::string>& machines);
  void tell_over();
  void tell_results();
  void note_silence(const std::string& why);

  const Sources sources_;
  PoolHistory history_;
  std::set<std::string> over_;  // Jobs whose end is to be read in the database, and told.
  bool has_told_ = false;
  mutable std::mutex mutex_;  // Guards what follows.
  std::shared_ptr<const PoolNow> now_;
  std::string silence_;
  bool is_over_ = false;
  std::condition_variable end_;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::web
