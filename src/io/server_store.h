#pragma once

#include <functional>
#include <memory>

#include "base/file.h"
#include "host/ports.h"
#include "io/work_thread.h"
#include "roles/server/server.h"

namespace muster::io {

// The server's database, through SOCI: one SQLite file now. Opening it raises the pool's epoch, and
// every write is refused under an older one, so that a forgotten twin can change nothing.
class ServerStore final : public host::Store {
 public:
  // `inbox` outlives the object. `superseded` is called, by a thread of the store's, within seconds
  // of another server having opened the database. kDisk when it cannot be opened.
  static Result<std::unique_ptr<ServerStore>> open(const Path& state_dir, host::Inbox& inbox,
                                                   std::function<void()> superseded);
  ~ServerStore() override;

  // What was committed when it was opened.
  [[nodiscard]] roles::server::ServerState take_state() { return std::move(state_); }

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
  bool is_mine();

  std::unique_ptr<Database> database_;
  host::Inbox& inbox_;
  roles::server::ServerState state_;
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
