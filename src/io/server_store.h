#pragma once

#include <memory>

#include "base/file.h"
#include "host/ports.h"
#include "io/work_thread.h"
#include "roles/server/server.h"

namespace muster::io {

// The server's database, through SOCI: one SQLite file now. Opening it raises the pool's epoch, and
// every write carries "WHERE epoch = mine", so that a forgotten twin can change nothing.
class ServerStore final : public host::Store {
 public:
  // `inbox` outlives the object. kDisk when the database cannot be opened.
  static Result<std::unique_ptr<ServerStore>> open(const Path& state_dir, host::Inbox& inbox);
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
  Status commit(const roles::Write& write);

  std::unique_ptr<Database> database_;
  host::Inbox& inbox_;
  roles::server::ServerState state_;
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
