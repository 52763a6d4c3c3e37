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
      [raw = database.get(), superseded = std::move(superseded)](std::deque<Work> work) {
        raw->work_through(std::move(work), superseded);
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
  if (searches_.fetch_add(1) < kMostSearches && thread_->put({owner, find})) return;
  searches_.fetch_sub(1);
  inbox_.post(owner, roles::JobsFound{find.call, fail(Code::kTryLater, kTooSlow)});
}

// However much there is to do, it looks every now and then.
void ServerDatabase::work_through(std::deque<Work> work, const std::function<void()>& superseded) {
  auto looked = std::chrono::steady_clock::now();
  for (; !work.empty(); work.pop_front()) {
    const Work& one = work.front();
    inbox_.post(one.owner, std::visit([&](const auto& what) { return carry_out(what); }, one.what));
    if (std::chrono::steady_clock::now() - looked < kLookEvery) continue;
    looked = std::chrono::steady_clock::now();
    if (!look()) superseded();
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
  searches_.fetch_sub(1);
  try {
    return roles::JobsFound{find.call, tables_->find(find)};
  } catch (const std::exception& error) {
    return roles::JobsFound{find.call, fail(Code::kTryLater, error.what())};
  }
}

}  // namespace muster::io
