#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "base/file.h"
#include "host/ports.h"
#include "io/work_thread.h"
#include "roles/server/server_state.h"

namespace muster::io {

// The server's database, through SOCI: one SQLite file now. Opening it raises the pool's epoch, and
// every write is refused under an older one, so that a forgotten twin can change nothing. Nothing
// is committed into a file that was deleted or moved away under the server.
class ServerStore final : public host::Store {
 public:
  // `inbox` outlives the object. `superseded` is called, by a thread of the store's, within seconds
  // of another server having opened the database. kDisk when it cannot be opened. `unix_ms` is what
  // the machine's clock says.
  static Result<std::unique_ptr<ServerStore>> open(const Path& state_dir, host::Inbox& inbox,
                                                   std::function<void()> superseded,
                                                   int64_t unix_ms);
  ~ServerStore() override;

  // What was committed when it was opened.
  [[nodiscard]] roles::server::ServerState take_state() { return std::move(state_); }

  // How far the machine's clock is ahead of the time that the database has counted: while servers
  // ran, and a week at most between two of them. A clock that is wrong by 40 days would otherwise
  // end the retention of every job at one start; so it is added to the retention.
  [[nodiscard]] std::chrono::milliseconds clock_ahead() const { return clock_ahead_; }

  void write(pb::Role owner, roles::Write write) override;

 private:
  struct Database;
  struct Work {
    pb::Role owner;
    roles::Write write;
  };
  ServerStore(std::unique_ptr<Database> database, host::Inbox& inbox);
  void work_through(const std::deque<Work>& work, const std::function<void()>& superseded);
  Status commit(const roles::Write& write);
  bool look();

  std::unique_ptr<Database> database_;
  host::Inbox& inbox_;
  roles::server::ServerState state_;
  std::chrono::milliseconds clock_ahead_{};
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
