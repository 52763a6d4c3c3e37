#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <variant>
#include <vector>

#include "host/ports.h"
#include "io/database/address.h"
#include "io/database/pool_clock.h"
#include "io/work_thread.h"
#include "roles/server/server_state.h"

namespace muster::io {

class Connection;
class Reach;
class ServerTables;

// The server's database, through SOCI: a file of SQLite's, or PostgreSQL. Opening it raises the
// pool's epoch, and every write is refused under an older one, so that a forgotten twin can change
// nothing.
//
// What waits is committed together, in one transaction; when that fails, each on its own, once. A
// commit that was not begun or not carried out has failed. Of one that the database was asked to
// end, and did not say that it has, it is asked; what it cannot tell may be there: kUnknown. While
// the database is away everything fails at once, and it is tried again every few seconds.
//
// kMostWaiting may wait, kMostSearches of them searches, and no search for all jobs behind
// kMostLists, whose answers are large; searches come last, so that whoever asks holds up nobody who
// writes; what is over has failed at once, so that a database that hangs fills no memory. One that
// hangs for kPatience is left, and connected to anew.
class ServerDatabase final : public host::Database {
 public:
  static constexpr size_t kMostWaiting = 20'000;
  static constexpr size_t kMostSearches = 2000;
  static constexpr size_t kMostLists = 100;
  static constexpr size_t kMostTogether = 500;
  static constexpr std::chrono::seconds kPatience{10};

  // Called by a thread of the database's.
  struct Listener {
    // Within seconds of another server having opened it.
    std::function<void()> superseded = [] {};
    // A sentence for the log: it is away, it is back.
    std::function<void(const std::string&)> news = [](const std::string&) {};
  };

  // `inbox` outlives the object. `unix_ms` is what the machine's clock says. kUnavailable: the
  // database is away, and may come. kDisk when it cannot be opened, or a row in it cannot be read:
  // then it names the row and what to do. kUnsupported: a newer muster has written it.
  static Result<std::unique_ptr<ServerDatabase>> open(const DatabaseAddress& address,
                                                      host::Inbox& inbox, Listener listener,
                                                      int64_t unix_ms);
  ~ServerDatabase() override;

  // What was committed when it was opened.
  [[nodiscard]] roles::server::ServerState take_state() { return std::move(state_); }
  // How far the machine's clock is ahead of the time that the database has counted: it is added to
  // the retention.
  [[nodiscard]] std::chrono::milliseconds clock_ahead() const { return clock_.ahead(); }
  // Whether it answered when it was last looked at, no longer ago than kAnswersWithin: it is, every
  // two seconds. Of any thread.
  static constexpr std::chrono::seconds kAnswersWithin{6};
  [[nodiscard]] bool is_reachable() const;

  void commit(pb::Role owner, roles::Commit commit) override;
  void find(pb::Role owner, const roles::FindJobs& find) override;

 private:
  struct ToCommit {
    pb::Role owner;
    roles::Commit commit;
  };
  struct ToFind {
    pb::Role owner;
    roles::FindJobs find;
  };
  using Work = std::variant<ToCommit, ToFind>;
  struct Attempt {
    roles::Outcome outcome = roles::Outcome::kFailed;
    std::string why;
    bool again = false;  // It may go otherwise at once: each on its own, on another connection.
  };
  using Clock = std::chrono::steady_clock;

  ServerDatabase(const DatabaseAddress& address, host::Inbox& inbox, Listener listener);
  Status begin(std::chrono::milliseconds clock);
  Status read();
  void work_through(std::deque<Work> work);
  void commit_together(std::span<const ToCommit> batch);
  void answer(std::span<const ToCommit> batch, const Attempt& attempt);
  [[nodiscard]] Attempt attempt(std::span<const ToCommit> batch);
  [[nodiscard]] Attempt carry_out(std::span<const ToCommit> batch);
  [[nodiscard]] roles::Outcome ask_after(const std::string& transaction);
  [[nodiscard]] Result<roles::FoundJobs> search(const roles::FindJobs& find);
  void look();
  void look_if_due();

  host::Inbox& inbox_;
  Listener listener_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<Reach> reach_;
  std::unique_ptr<ServerTables> tables_;
  PoolClock clock_;
  roles::server::ServerState state_;
  Clock::time_point looked_{};
  std::atomic<Clock::time_point> reached_{};  // When it last answered that.
  std::atomic<size_t> searches_ = 0;          // That wait.
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
