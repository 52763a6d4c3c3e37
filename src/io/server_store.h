#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "host/ports.h"
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
  void run();
  Status commit(const roles::Write& write);

  std::unique_ptr<Database> database_;
  host::Inbox& inbox_;
  roles::server::ServerState state_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace muster::io
