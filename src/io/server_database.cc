#include "io/server_database.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/digest.h"
#include "base/file.h"
#include "base/overloaded.h"
#include "io/file_identity.h"
#include "io/machine_keys.h"

namespace muster::io {
namespace {

// The tables as they are now, made where they are missing.
constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, "
    "view_number INTEGER NOT NULL, view TEXT NOT NULL)",
    "INSERT INTO pool (id, epoch, view_number, view) VALUES (1, 0, 0, '') ON CONFLICT DO NOTHING",
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

// -1: none.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool from_text(const std::string& text, google::protobuf::MessageLite& message) {
  std::string bytes;
  if (text.size() % 2 != 0) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes += static_cast<char>(high * 16 + low);
  }
  return message.ParseFromString(bytes);
}

}  // namespace

// The tables, as a server uses them. Calls throw what SOCI does.
class ServerDatabase::Tables {
 public:
  // In these three steps: the file; what it should hold; whose pool it is from now on.
  Status open(const Path& path) {
    path_ = path;
    // SOCI takes words apart at blanks and quotes; under this name the file is without any.
    const Descriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder.fd < 0)
      return fail(Code::kDisk, path.parent_path().string() + ": " + std::strerror(errno));
    sql_.open(soci::sqlite3, "dbname=/proc/self/fd/" + std::to_string(folder.fd) + "/" +
                                 path.filename().string() + " timeout=5");
    sql_ << "PRAGMA journal_mode = WAL";
    sql_ << "PRAGMA synchronous = FULL";
    MUSTER_TRY(file_, FileIdentity::of(path));
    return {};
  }
  void migrate() {
    for (const char* statement : kTables) sql_ << statement;
  }
  void take_over() {
    soci::transaction transaction(sql_);
    sql_ << "UPDATE pool SET epoch = epoch + 1";
    sql_ << "SELECT epoch FROM pool", soci::into(epoch_);
    transaction.commit();
  }

  // Goes on counting from what was counted before, by a week at most; returns the rest. Saved only
  // when it is the first count: one start after the other, in a loop of crashes, moves nothing.
  std::chrono::milliseconds begin_counting(std::chrono::milliseconds clock) {
    long long before = 0;
    sql_ << "SELECT counted_ms FROM clock", soci::into(before);
    const bool first = !sql_.got_data();
    const auto most = std::chrono::milliseconds(before) + kMostBetweenStarts;
    counted_ = first ? clock : std::min(clock, most);
    counted_at_ = SteadyClock::now();
    if (first) save_count();
    return clock - counted_;
  }

  void count_on() {
    const auto now = SteadyClock::now();
    if (now - counted_at_ < kCountEvery) return;
    counted_ += std::chrono::duration_cast<std::chrono::milliseconds>(now - counted_at_);
    counted_at_ = now;
    save_count();
  }

  // What was committed. kDisk names a row that cannot be read: without it an accepted job, or a
  // quarantine, would be gone without a word.
  Result<roles::server::ServerState> load() {
    roles::server::ServerState state;
    state.pool_epoch = static_cast<uint64_t>(epoch_);
    MUSTER_TRY(state.pool, identity());
    std::string view;
    sql_ << "SELECT view FROM pool", soci::into(view);
    if (!from_text(view, state.view)) return unreadable("pool", "id = 1");
    MUSTER_TRY_STATUS(
        read("SELECT 'job = ''' || job || ''' AND run = ' || run, row FROM job AS j "
             "WHERE run = (SELECT MAX(run) FROM job WHERE job = j.job) ORDER BY job",
             "job", state.jobs));
    MUSTER_TRY_STATUS(
        read("SELECT 'machine = ''' || machine || '''', row FROM machine "
             "ORDER BY machine",
             "machine", state.machines));
    MUSTER_TRY_STATUS(
        read("SELECT 'job = ''' || job || ''' AND run = ' || run || ' AND number = ' || number, "
             "reason FROM reason AS r WHERE run = (SELECT MAX(run) FROM job WHERE job = r.job) "
             "ORDER BY job, number",
             "reason", state.reasons));
    return state;
  }

  // Whether this server still owns the pool; asked inside every transaction.
  bool is_mine() {
    long long current = 0;
    sql_ << "SELECT epoch FROM pool", soci::into(current);
    return current == epoch_;
  }

  // Inside a transaction, all but its end.
  Status apply(const std::vector<roles::Change>& changes) {
    if (!is_mine()) return fail(Code::kUnavailable, "another server has this pool now");
    for (const roles::Change& change : changes) {
      std::visit(overloaded{[&](const roles::SavePool& save) { write(save.row); },
                            [&](const roles::SaveView& save) { write(save.view); },
                            [&](const roles::SaveJob& save) { write(save.row); },
                            [&](const roles::SaveMachine& save) { write(save.row); },
                            [&](const roles::SaveReason& save) { write(save.reason); }},
                 change);
    }
    return file_.still_there();
  }

  soci::session& session() { return sql_; }

 private:
  // Drawn when the database is made: another one is another pool, whatever its address.
  Result<pb::PoolRow> identity() {
    std::vector<pb::PoolRow> rows;
    MUSTER_TRY_STATUS(read("SELECT 'id = 1', row FROM identity", "identity", rows));
    if (!rows.empty()) return rows.front();
    pb::PoolRow row;
    row.set_pool(to_hex(random_bytes(16)));
    write(row);
    return row;
  }

  // Each row of the query is {where it is, the message}.
  template <typename Message>
  Status read(const char* query, const char* table, std::vector<Message>& messages) {
    soci::rowset<soci::row> rows = (sql_.prepare << query);
    for (const soci::row& row : rows) {
      Message message;
      if (!from_text(row.get<std::string>(1), message)) {
        return unreadable(table, row.get<std::string>(0));
      }
      messages.push_back(std::move(message));
    }
    return {};
  }

  [[nodiscard]] tl::unexpected<Error> unreadable(const std::string& table,
                                                 const std::string& where) const {
    return fail(Code::kDisk, path_.string() + ": the row of table " + table + " where " + where +
                                 " cannot be read. Bring the file back from a backup; or do "
                                 "without the row: sqlite3 " +
                                 path_.string() + " \"DELETE FROM " + table + " WHERE " + where +
                                 "\"");
  }

  void save_count() {
    const long long value = counted_.count();
    sql_ << "INSERT INTO clock (id, counted_ms) VALUES (1, :value) "
            "ON CONFLICT (id) DO UPDATE SET counted_ms = excluded.counted_ms",
        soci::use(value);
  }

  void write(const pb::PoolRow& row) {
    const std::string text = to_text(row);
    sql_ << "INSERT INTO identity (id, row) VALUES (1, :row) "
            "ON CONFLICT (id) DO UPDATE SET row = excluded.row",
        soci::use(text);
  }

  void write(const pb::View& view) {
    const std::string text = to_text(view);
    const auto number = static_cast<long long>(view.number());
    sql_ << "UPDATE pool SET view_number = :number, view = :view WHERE epoch = :epoch",
        soci::use(number), soci::use(text), soci::use(epoch_);
  }

  void write(const pb::JobRow& row) {
    const std::string text = to_text(row), job = row.job();
    const auto run = static_cast<long long>(row.run());
    const auto job_epoch = static_cast<long long>(row.epoch());
    const int state = row.state();
    sql_ << "INSERT INTO job (job, run, epoch, state, row) VALUES (:job, :run, :epoch, :state, "
            ":row) ON CONFLICT (job, run) DO UPDATE SET epoch = excluded.epoch, "
            "state = excluded.state, row = excluded.row",
        soci::use(job), soci::use(run), soci::use(job_epoch), soci::use(state), soci::use(text);
  }

  // Only the latest of a job are kept.
  void write(const pb::Reason& reason) {
    const std::string text = to_text(reason), job = reason.job();
    const auto run = static_cast<long long>(reason.run());
    const auto number = static_cast<long long>(reason.number()), oldest = number - kMostReasons;
    sql_ << "INSERT INTO reason (job, run, number, reason) VALUES (:job, :run, :number, :reason) "
            "ON CONFLICT (job, run, number) DO UPDATE SET reason = excluded.reason",
        soci::use(job), soci::use(run), soci::use(number), soci::use(text);
    sql_ << "DELETE FROM reason WHERE job = :job AND (run < :run OR number <= :oldest)",
        soci::use(job), soci::use(run), soci::use(oldest);
  }

  void write(const pb::MachineRow& row) {
    const std::string text = to_text(row), machine = row.machine();
    const int quarantined = row.quarantined() ? 1 : 0;
    sql_ << "INSERT INTO machine (machine, quarantined, row) VALUES (:machine, :quarantined, :row) "
            "ON CONFLICT (machine) DO UPDATE SET quarantined = excluded.quarantined, "
            "row = excluded.row",
        soci::use(machine), soci::use(quarantined), soci::use(text);
  }

  Path path_;
  soci::session sql_;
  long long epoch_ = 0;
  FileIdentity file_;
  std::chrono::milliseconds counted_{};  // Unix time as it was counted until `counted_at_`.
  SteadyClock::time_point counted_at_{};
};

ServerDatabase::ServerDatabase(std::unique_ptr<Tables> tables, host::Inbox& inbox)
    : tables_(std::move(tables)), inbox_(inbox) {}

Result<std::unique_ptr<ServerDatabase>> ServerDatabase::open(const Path& state_dir,
                                                             host::Inbox& inbox,
                                                             std::function<void()> superseded,
                                                             int64_t unix_ms) {
  const Path path = state_dir / "server.db";
  std::unique_ptr<ServerDatabase> database(new ServerDatabase(std::make_unique<Tables>(), inbox));
  try {
    Tables& tables = *database->tables_;
    MUSTER_TRY_STATUS(tables.open(path));
    tables.migrate();
    tables.take_over();
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
  inbox_.post(owner, roles::Stored{id, roles::Outcome::kFailed, "the database does not keep up"});
}

void ServerDatabase::work_through(const std::deque<Work>& work,
                                  const std::function<void()>& superseded) {
  for (const Work& one : work) inbox_.post(one.owner, carry_out(one.commit));
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

roles::Stored ServerDatabase::carry_out(const roles::Commit& commit) {
  auto so_far = roles::Outcome::kFailed;
  try {
    soci::transaction transaction(tables_->session());
    const Status applied = tables_->apply(commit.changes);
    if (!applied) return {commit.id, so_far, applied.error().message};
    so_far = roles::Outcome::kUnknown;
    transaction.commit();
    return {commit.id, roles::Outcome::kDone, ""};
  } catch (const std::exception& error) {
    return {commit.id, so_far, error.what()};
  }
}

}  // namespace muster::io
