#include "io/server_store.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/digest.h"
#include "base/file.h"
#include "io/file_identity.h"
#include "io/machine_keys.h"

namespace muster::io {
namespace {

constexpr const char* kSchema[] = {
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, "
    "view_number INTEGER NOT NULL, view TEXT NOT NULL)",
    "INSERT OR IGNORE INTO pool (id, epoch, view_number, view) VALUES (1, 0, 0, '')",
    "UPDATE pool SET epoch = epoch + 1",
    "CREATE TABLE IF NOT EXISTS job (job TEXT NOT NULL, run INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, state INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (job, run))",
    "CREATE TABLE IF NOT EXISTS machine (machine TEXT PRIMARY KEY, quarantined INTEGER NOT NULL, "
    "row TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reason (job TEXT NOT NULL, run INTEGER NOT NULL, "
    "number INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (job, run, number))",
    "CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, counted_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY, row TEXT NOT NULL)",
};

// For another server, while there is nothing to write.
constexpr std::chrono::seconds kLookEvery{2};
constexpr long long kMostReasons = 100;  // Of a job.
constexpr std::chrono::hours kMostBetweenStarts{7 * 24};
constexpr std::chrono::minutes kCountEvery{10};

using SteadyClock = std::chrono::steady_clock;

// Messages go into text columns as hexadecimal: SOCI's blobs differ between its backends.
std::string to_text(const google::protobuf::MessageLite& message) {
  return to_hex(message.SerializeAsString());
}

int digit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

bool from_text(const std::string& text, google::protobuf::MessageLite& message) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  }
  return message.ParseFromString(bytes);
}

}  // namespace

struct ServerStore::Database {
  soci::session sql;
  long long epoch = 0;
  FileIdentity file;
  std::chrono::milliseconds counted{};  // Unix time as it was counted until `counted_at`.
  SteadyClock::time_point counted_at{};

  Status open(const Path& path) {
    // SOCI takes words apart at blanks and quotes; under this name the file is without any.
    const Descriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder.fd < 0)
      return fail(Code::kDisk, path.parent_path().string() + ": " + std::strerror(errno));
    sql.open(soci::sqlite3, "dbname=/proc/self/fd/" + std::to_string(folder.fd) + "/" +
                                path.filename().string() + " timeout=5");
    for (const char* statement : kSchema) sql << statement;
    sql << "SELECT epoch FROM pool", soci::into(epoch);
    MUSTER_TRY(file, FileIdentity::of(path));
    return {};
  }

  // Goes on counting from what was counted before, by a week at most; returns the rest. Saved only
  // when it is the first count: one start after the other, in a loop of crashes, moves nothing.
  std::chrono::milliseconds begin_counting(std::chrono::milliseconds clock) {
    long long before = 0;
    sql << "SELECT counted_ms FROM clock", soci::into(before);
    const bool first = !sql.got_data();
    const auto most = std::chrono::milliseconds(before) + kMostBetweenStarts;
    counted = first ? clock : std::min(clock, most);
    counted_at = SteadyClock::now();
    if (first) save_count();
    return clock - counted;
  }

  void count_on() {
    const auto now = SteadyClock::now();
    if (now - counted_at < kCountEvery) return;
    counted += std::chrono::duration_cast<std::chrono::milliseconds>(now - counted_at);
    counted_at = now;
    save_count();
  }

  void save_count() {
    const long long value = counted.count();
    sql << "INSERT OR REPLACE INTO clock (id, counted_ms) VALUES (1, :value)", soci::use(value);
  }

  roles::server::ServerState load() {
    roles::server::ServerState state;
    state.pool_epoch = static_cast<uint64_t>(epoch);
    state.pool = identity();
    std::string view;
    sql << "SELECT view FROM pool", soci::into(view);
    if (!from_text(view, state.view)) state.view.Clear();
    load("SELECT row FROM job AS j WHERE run = (SELECT MAX(run) FROM job WHERE job = j.job)",
         state.jobs);
    load("SELECT row FROM machine", state.machines);
    load(
        "SELECT reason FROM reason AS r WHERE run = (SELECT MAX(run) FROM job "
        "WHERE job = r.job) ORDER BY job, number",
        state.reasons);
    return state;
  }

  // Drawn when the database is made: another one is another pool, whatever its address.
  pb::PoolRow identity() {
    std::vector<pb::PoolRow> rows;
    load("SELECT row FROM identity", rows);
    if (!rows.empty()) return rows.front();
    pb::PoolRow row;
    row.set_pool(to_hex(random_bytes(16)));
    save(row);
    return row;
  }

  // What cannot be read is left out.
  template <typename Message>
  void load(const char* query, std::vector<Message>& messages) {
    soci::rowset<std::string> rows = (sql.prepare << query);
    for (const std::string& text : rows) {
      Message message;
      if (from_text(text, message)) messages.push_back(std::move(message));
    }
  }

  // Whether this server still owns the pool; asked inside every transaction.
  bool is_mine() {
    long long current = 0;
    sql << "SELECT epoch FROM pool", soci::into(current);
    return current == epoch;
  }

  void save(const pb::PoolRow& row) {
    const std::string text = to_text(row);
    sql << "INSERT OR REPLACE INTO identity (id, row) VALUES (1, :row)", soci::use(text);
  }

  void save(const pb::View& view) {
    const std::string text = to_text(view);
    const auto number = static_cast<long long>(view.number());
    sql << "UPDATE pool SET view_number = :number, view = :view WHERE epoch = :epoch",
        soci::use(number), soci::use(text), soci::use(epoch);
  }

  void save(const pb::JobRow& row) {
    const std::string text = to_text(row), job = row.job();
    const auto run = static_cast<long long>(row.run());
    const auto job_epoch = static_cast<long long>(row.epoch());
    const int state = row.state();
    sql << "INSERT OR REPLACE INTO job (job, run, epoch, state, row) VALUES "
           "(:job, :run, :epoch, :state, :row)",
        soci::use(job), soci::use(run), soci::use(job_epoch), soci::use(state), soci::use(text);
  }

  // Only the latest of a job are kept.
  void save(const pb::Reason& reason) {
    const std::string text = to_text(reason), job = reason.job();
    const auto run = static_cast<long long>(reason.run());
    const auto number = static_cast<long long>(reason.number()), oldest = number - kMostReasons;
    sql << "INSERT OR REPLACE INTO reason (job, run, number, reason) VALUES "
           "(:job, :run, :number, :reason)",
        soci::use(job), soci::use(run), soci::use(number), soci::use(text);
    sql << "DELETE FROM reason WHERE job = :job AND (run < :run OR number <= :oldest)",
        soci::use(job), soci::use(run), soci::use(oldest);
  }

  void save(const pb::MachineRow& row) {
    const std::string text = to_text(row), machine = row.machine();
    const int quarantined = row.quarantined() ? 1 : 0;
    sql << "INSERT OR REPLACE INTO machine (machine, quarantined, row) VALUES "
           "(:machine, :quarantined, :row)",
        soci::use(machine), soci::use(quarantined), soci::use(text);
  }
};

ServerStore::ServerStore(std::unique_ptr<Database> database, host::Inbox& inbox)
    : database_(std::move(database)), inbox_(inbox) {}

Result<std::unique_ptr<ServerStore>> ServerStore::open(const Path& state_dir, host::Inbox& inbox,
                                                       std::function<void()> superseded,
                                                       int64_t unix_ms) {
  const Path path = state_dir / "server.db";
  std::unique_ptr<ServerStore> store(new ServerStore(std::make_unique<Database>(), inbox));
  try {
    MUSTER_TRY_STATUS(store->database_->open(path));
    store->clock_ahead_ = store->database_->begin_counting(std::chrono::milliseconds(unix_ms));
    store->state_ = store->database_->load();
  } catch (const std::exception& error) {
    return fail(Code::kDisk, path.string() + ": " + error.what());
  }
  store->thread_ = std::make_unique<WorkThread<Work>>(
      [raw = store.get(), superseded = std::move(superseded)](const std::deque<Work>& work) {
        raw->work_through(work, superseded);
      },
      kLookEvery);
  return store;
}

ServerStore::~ServerStore() = default;

void ServerStore::write(pb::Role owner, roles::Write write) {
  thread_->put({owner, std::move(write)});
}

void ServerStore::work_through(const std::deque<Work>& work,
                               const std::function<void()>& superseded) {
  for (const Work& one : work) {
    const Status done = commit(one.write);
    inbox_.post(one.owner,
                roles::Stored{one.write.id, done ? roles::Outcome::kDone : roles::Outcome::kFailed,
                              done ? "" : done.error().message});
  }
  if (!look()) superseded();
}

// Whether the pool is still this server's. A database that cannot be read is nobody else's yet.
bool ServerStore::look() {
  try {
    const bool mine = database_->is_mine();
    if (mine) database_->count_on();
    return mine;
  } catch (const std::exception&) {
    return true;
  }
}

Status ServerStore::commit(const roles::Write& write) {
  try {
    soci::transaction transaction(database_->sql);
    if (!database_->is_mine()) return fail(Code::kUnavailable, "another server has this pool now");
    if (const auto* pool = std::get_if<roles::SavePool>(&write.what)) database_->save(pool->row);
    if (const auto* view = std::get_if<roles::SaveView>(&write.what)) database_->save(view->view);
    if (const auto* job = std::get_if<roles::SaveJob>(&write.what)) database_->save(job->row);
    if (const auto* machine = std::get_if<roles::SaveMachine>(&write.what)) {
      database_->save(machine->row);
    }
    if (const auto* reason = std::get_if<roles::SaveReason>(&write.what)) {
      database_->save(reason->reason);
    }
    MUSTER_TRY_STATUS(database_->file.still_there());
    transaction.commit();
    return {};
  } catch (const std::exception& error) {
    return fail(Code::kDisk, error.what());
  }
}

}  // namespace muster::io
