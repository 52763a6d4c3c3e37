#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "io/database/connection.h"
#include "roles/database.h"
#include "roles/server/server_state.h"

namespace muster::io {

// The tables (schema.h) as one server uses them: what is there, and what it writes, in transactions
// that its caller begins and ends. Of one thread.
//
// Taking the pool over raises its epoch; nothing is applied under an older one. A row that cannot
// be read is an error that names it (kDisk): without it an accepted job, or a quarantine, would be
// gone without a word.
//
// Calls throw what SOCI does.
class ServerTables {
 public:
  // Outlives the object; is open, and up to date.
  explicit ServerTables(Connection& connection) : connection_(connection) {}

  // From here on the pool is this server's.
  void take_over();

  // ---- What is there.

  // `today_ms`: what was accepted after it is counted.
  Result<roles::server::ServerState> load(int64_t today_ms);
  Result<roles::FoundJobs> find(const roles::FindJobs& find);
  // Whether this server still has the pool.
  [[nodiscard]] bool is_mine();

  // ---- What is written, inside a transaction.

  // What the transaction is called. kUnavailable: another server has the pool now.
  Result<std::string> fence();
  void apply(const roles::Change& change);

 private:
  // What of a table is picked, and in which order; `order` tells every two rows apart.
  struct Pick {
    std::string where, order;
    std::vector<std::string> values;  // Of the placeholders in `where`.
    size_t most = SIZE_MAX;
  };
  // Messages of their table (as `t`). `take` returns whether it wants more.
  template <typename Message>
  Status visit(const Pick& pick, const std::function<bool(Message)>& take);
  template <typename Message>
  Result<std::vector<Message>> read(const Pick& pick);

  Result<pb::PoolRow> identity();
  Result<pb::View> view();
  Result<roles::FoundJobs> all_jobs();
  Result<roles::FoundJobs> jobs_named(const std::string& prefix);
  [[nodiscard]] tl::unexpected<Error> unreadable(const std::string& table,
                                                 const std::string& where) const;
  void write(const pb::View& view);
  void drop_token(const std::string& id);

  Connection& connection_;
  long long epoch_ = 0;
};

}  // namespace muster::io
