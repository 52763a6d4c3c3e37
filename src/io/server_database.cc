#include "io/server_database.h"

#include "io/server_tables.h"

namespace muster::io {
namespace {

// For another server, while there is nothing to write.
constexpr std::chrono::seconds kLookEvery{2};
constexpr const char* kTooSlow = "the database does not keep up";

}  // namespace

ServerDatabase::ServerDatabase(std::unique_ptr<ServerTables> tables, host::Inbox& inbox)
    : tables_(std::move(tables)), inbox_(inbox) {}

Result<std::unique_ptr<ServerDatabase>> ServerDatabase::open(const Path& state_dir,
                                                             host::Inbox& inbox,
                                                             std::function<void()> superseded,
                                                             int64_t unix_ms) {
  const Path path = state_dir / "server.db";
  std::unique_ptr<ServerDatabase> database(
      new ServerDatabase(std::make_unique<ServerTables>(), inbox));
  try {
    ServerTables& tables = *database->tables_;
    MUSTER_TRY_STATUS(tables.open(path));
    database->clock_ahead_ = tables.begin_counting(std::chrono::milliseconds(unix_ms));
    MUSTER_TRY(database->state_, tables.load());
  } catch (const std::exception& error) {
    return fail(Code::kDisk, path.string() + ": " + error.what());
  }
  database->thread_ = std::make_unique<WorkThread<Work>>(
      [raw = database.get(), superseded = std::move(superseded)](const std::deque<Work>& work) {
        raw->work_through(work, superseded);
      },
      kMostWaiting, kLookEvery);
  return database;
}

ServerDatabase::~ServerDatabase() = default;

void ServerDatabase::commit(pb::Role owner, roles::Commit commit) {
  const roles::WriteId id = commit.id;
  if (thread_->put({owner, std::move(commit)})) return;
  inbox_.post(owner, roles::Stored{id, roles::Outcome::kFailed, kTooSlow});
}

void ServerDatabase::find(pb::Role owner, const roles::FindJobs& find) {
  if (thread_->put({owner, find})) return;
  inbox_.post(owner, roles::JobsFound{find.call, fail(Code::kTryLater, kTooSlow)});
}

void ServerDatabase::work_through(const std::deque<Work>& work,
                                  const std::function<void()>& superseded) {
  for (const Work& one : work) {
    inbox_.post(one.owner, std::visit([&](const auto& what) { return carry_out(what); }, one.what));
  }
  if (!look()) superseded();
}

// Whether the pool is still this server's. A database that cannot be read is nobody else's yet.
bool ServerDatabase::look() {
  try {
    const bool mine = tables_->is_mine();
    if (mine) tables_->count_on();
    return mine;
  } catch (const std::exception&) {
    return true;
  }
}

roles::Event ServerDatabase::carry_out(const roles::Commit& commit) {
  auto so_far = roles::Outcome::kFailed;
  try {
    soci::transaction transaction(tables_->session());
    const Status applied = tables_->apply(commit.changes);
    if (!applied) return roles::Stored{commit.id, so_far, applied.error().message};
    so_far = roles::Outcome::kUnknown;
    transaction.commit();
    return roles::Stored{commit.id, roles::Outcome::kDone, ""};
  } catch (const std::exception& error) {
    return roles::Stored{commit.id, so_far, error.what()};
  }
}

roles::Event ServerDatabase::carry_out(const roles::FindJobs& find) {
  try {
    return roles::JobsFound{find.call, tables_->find(find)};
  } catch (const std::exception& error) {
    return roles::JobsFound{find.call, fail(Code::kTryLater, error.what())};
  }
}

}  // namespace muster::io
