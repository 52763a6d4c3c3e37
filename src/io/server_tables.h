#pragma once

#include <soci/soci.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/file_identity.h"
#include "roles/database.h"
#include "roles/server/server_state.h"

namespace muster::io {

// The tables of the server's database (server_schema.h), as one server uses them: what is there,
// and what it writes, in statements that the caller's transaction holds together. Of one thread.
//
// Opening raises the pool's epoch; nothing is applied under an older one, nor into a file that was
// deleted or moved away. A row that cannot be read is an error that names it (kDisk): without it an
// accepted job, or a quarantine, would be gone without a word.
//
// Calls throw what SOCI does.
class ServerTables {
 public:
  // The file, brought up to date; from then on the pool is this server's.
  Status open(const Path& path);

  // ---- What is there.

  Result<roles::server::ServerState> load();
  Result<roles::FoundJobs> find(const roles::FindJobs& find);
  // Whether this server still owns the pool.
  [[nodiscard]] bool is_mine();

  // ---- What is written.

  // Inside a transaction, all but its end. kUnavailable: another server has the pool now.
  Status apply(const std::vector<roles::Change>& changes);
  soci::session& session() { return sql_; }

  // ---- Time. Unix time in milliseconds, as the database counts it while servers run.

  // Goes on counting from what was counted before, by a week at most; returns the rest. Saved only
  // when it is the first count: one start after the other, in a loop of crashes, moves nothing.
  std::chrono::milliseconds begin_counting(std::chrono::milliseconds clock);
  void count_on();

 private:
  using SteadyClock = std::chrono::steady_clock;

  void take_over();
  Result<pb::PoolRow> identity();
  Result<roles::FoundJobs> all_jobs();
  Result<roles::FoundJobs> jobs_named(const std::string& prefix);
  void save_count();

  // Messages of their table (as `t`), picked by what stands behind FROM; its placeholders get
  // `values`. `take` returns whether it wants more.
  template <typename Message>
  Status visit(const std::string& picked, const std::vector<std::string>& values,
               const std::function<bool(Message)>& take);
  template <typename Message>
  Result<std::vector<Message>> read(const std::string& picked,
                                    const std::vector<std::string>& values = {});
  [[nodiscard]] tl::unexpected<Error> unreadable(const std::string& table,
                                                 const std::string& where) const;

  void write(const pb::PoolRow& row);
  void write(const pb::View& view);
  void write(const pb::JobRow& row);
  void write(const pb::MachineRow& row);
  void write(const pb::Reason& reason);
  void write(const pb::TokenRow& row);
  void drop_token(const std::string& id);

  Path path_;
  soci::session sql_;
  long long epoch_ = 0;
  FileIdentity file_;
  std::chrono::milliseconds counted_{};  // Unix time as it was counted until `counted_at_`.
  SteadyClock::time_point counted_at_{};
};

}  // namespace muster::io
