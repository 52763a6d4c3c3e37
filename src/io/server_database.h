#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <variant>

#include "base/file.h"
#include "host/ports.h"
#include "io/work_thread.h"
#include "roles/server/server_state.h"

namespace muster::io {

class ServerTables;

// The server's database, through SOCI: one SQLite file now. Opening it raises the pool's epoch, and
// every write is refused under an older one, so that a forgotten twin can change nothing. Nothing
// is committed into a file that was deleted or moved away under the server.
//
// A commit is one transaction. One that was not begun or not carried out has failed; one that the
// database was asked to end, and did not say that it has, may be there: kUnknown.
//
// kMostWaiting may wait, kMostSearches of them searches, so that whoever asks holds up nobody who
// writes; what is over has failed at once, so that a database that hangs fills no memory.
class ServerDatabase final : public host::Database {
 public:
  static constexpr size_t kMostWaiting = 20'000;
  static constexpr size_t kMostSearches = 100;

  // `inbox` outlives the object. `superseded` is called, by a thread of the database's, within
  // seconds of another server having opened it. kDisk when it cannot be opened, or a row in it
  // cannot be read: then it names the row and what to do. `unix_ms` is what the machine's clock
  // says.
  static Result<std::unique_ptr<ServerDatabase>> open(const Path& state_dir, host::Inbox& inbox,
                                                      std::function<void()> superseded,
                                                      int64_t unix_ms);
  ~ServerDatabase() override;

  // What was committed when it was opened.
  [[nodiscard]] roles::server::ServerState take_state() { return std::move(state_); }

  // How far the machine's clock is ahead of the time that the database has counted: while servers
  // ran, and a week at most between two of them. A clock that is wrong by 40 days would otherwise
  // end the retention of every job at one start; so it is added to the retention.
  [[nodiscard]] std::chrono::milliseconds clock_ahead() const { return clock_ahead_; }

  void commit(pb::Role owner, roles::Commit commit) override;
  void find(pb::Role owner, const roles::FindJobs& find) override;

 private:
  struct Work {
    pb::Role owner;
    std::variant<roles::Commit, roles::FindJobs> what;
  };
  ServerDatabase(std::unique_ptr<ServerTables> tables, host::Inbox& inbox);
  void work_through(std::deque<Work> work, const std::function<void()>& superseded);
  [[nodiscard]] roles::Event carry_out(const roles::Commit& commit);
  [[nodiscard]] roles::Event carry_out(const roles::FindJobs& find);
  bool look();

  std::unique_ptr<ServerTables> tables_;
  host::Inbox& inbox_;
  roles::server::ServerState state_;
  std::chrono::milliseconds clock_ahead_{};
  std::atomic<size_t> searches_ = 0;          // That wait.
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
