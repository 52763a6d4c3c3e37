#include "io/record_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/check.h"
#include "base/guarded.h"
#include "base/overloaded.h"
#include "io/machine_keys.h"
#include "io/sqlite.h"
#include "wire/record.h"

namespace muster::io {
namespace {

constexpr char kSchema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS store (id BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS home (text BLOB NOT NULL);"  // Where the store was made.
    "CREATE TABLE IF NOT EXISTS pool (id BLOB NOT NULL);"    // Whose records these are.
    "CREATE TABLE IF NOT EXISTS record ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"  // The order of a feed, and its cursor.
    "  digest BLOB NOT NULL UNIQUE,"
    "  job TEXT NOT NULL,"
    "  run INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL,"
    "  seals INTEGER NOT NULL DEFAULT 0);"  // Not 0: it seals the run against lower epochs.
    "CREATE INDEX IF NOT EXISTS record_by_job ON record (job, run, sequence);";

constexpr char kDamaged[] =
    "records.db is damaged; start the worker again, it sets the file aside and begins another";

constexpr char kTooSlow[] = "the disk does not keep up";
constexpr int kMostPicked = 1024;  // Of one request; the reader asks for the others again.

size_t bytes_of(const roles::RecordWrite& write) {
  size_t bytes = 0;
  if (const auto* put = std::get_if<roles::PutRecords>(&write.change)) {
    for (const auto& record : put->records) bytes += record.bytes.size();
  }
  return bytes;
}

pb::Feed answer_to(const pb::Subscribe& request) {
  pb::Feed feed;
  feed.set_job(request.job());
  feed.set_run(request.run());
  feed.set_from(request.cursor());
  feed.set_next(request.cursor());
  feed.set_copying(request.copying());
  feed.set_epoch(request.epoch());
  feed.set_view(request.view());
  feed.set_picked(!request.digests().empty());
  return feed;
}

// A record is checked against its name before it leaves.
void add_checked(const std::string& record, const Digest& name, pb::Feed& feed,
                 std::vector<Digest>& damaged) {
  auto* added = feed.add_records();
  if (added->ParseFromString(record) && wire::record_digest(*added) == name) return;
  feed.mutable_records()->RemoveLast();
  damaged.push_back(name);
}

}  // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const Path& state_dir, host::Inbox& inbox,
                                                       Bounds bounds) {
  std::unique_ptr<RecordStore> store(new RecordStore(inbox, bounds));
  store->folder_ = state_dir;
  const Path path = state_dir / "records.db";
  auto prepared = store->prepare(path);
  if (!prepared && prepared.error().code == Code::kDataLoss) prepared = store->begin_anew(path);
  if (!prepared) return fail(prepared.error().in(path.string()));
  MUSTER_TRY(store->file_, FileIdentity::of(path));
  store->thread_ = std::make_unique<WorkThread<Work>>(
      [raw = store.get()](std::deque<Work> work) { raw->take(std::move(work)); },
      2 * bounds.entries);  // Writes and reads; each is counted before it is put.
  return store;
}

Status RecordStore::prepare(const Path& path) {
  if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) {
    return fail(Code::kDisk, sqlite3_errmsg(database_));
  }
  sqlite3_busy_timeout(database_, 5000);
  MUSTER_TRY_STATUS(execute(database_, kSchema));
  MUSTER_TRY(auto check, Statement::prepare(database_, "PRAGMA quick_check(1)"));
  MUSTER_TRY([[maybe_unused]] const bool told, check.step());
  if (check.blob(0) != "ok") return fail(Code::kDataLoss, check.blob(0));
  MUSTER_TRY_STATUS(read_state());
  return settle_down(path);
}

// A store that was made elsewhere is a copy: what the original has acknowledged since, it may lack.
// Not by the boot: after a power cut every store would be another one.
Status RecordStore::settle_down(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return fail(Code::kDisk, std::strerror(errno));
  const std::string home =
      read_file("/etc/machine-id", 100).value_or("") + " file " + std::to_string(status.st_ino);
  MUSTER_TRY(auto noted, Statement::prepare(database_, "SELECT text FROM home"));
  MUSTER_TRY(const bool is_noted, noted.step());
  is_copy_ = is_noted && noted.blob(0) != home;
  const bool is_known = !state_.store_id.empty() && !is_copy_;
  if (is_known && is_noted) return {};
  if (!is_known) state_.store_id = to_hex(random_bytes(8));
  MUSTER_TRY_STATUS(execute(database_, "BEGIN IMMEDIATE; DELETE FROM store; DELETE FROM home"));
  for (const auto& [sql, text] : {std::pair{"INSERT INTO store (id) VALUES (?)", state_.store_id},
                                  std::pair{"INSERT INTO home (text) VALUES (?)", home}}) {
    MUSTER_TRY(auto put, Statement::prepare(database_, sql));
    put.bind(1, std::string_view(text));
    MUSTER_TRY([[maybe_unused]] const bool more, put.step());
  }
  return execute(database_, "COMMIT");
}

Status RecordStore::begin_anew(const Path& path) {
  sqlite3_close(std::exchange(database_, nullptr));
  state_ = {};
  std::error_code error;
  for (int n = 1; set_aside_.empty() || std::filesystem::exists(set_aside_, error); ++n) {
    set_aside_ = folder_ / ("records.damaged-" + std::to_string(n) + ".db");
  }
  std::filesystem::rename(path, set_aside_, error);
  if (error) return fail(Code::kDisk, "is damaged and cannot be set aside: " + error.message());
  for (const char* suffix : {"-wal", "-shm"})
    std::filesystem::remove(path.string() + suffix, error);
  return prepare(path);
}

Status RecordStore::read_state() {
  MUSTER_TRY(auto id, Statement::prepare(database_, "SELECT id FROM store"));
  MUSTER_TRY(const bool known, id.step());
  if (known) state_.store_id = id.blob(0);
  MUSTER_TRY(auto pool, Statement::prepare(database_, "SELECT id FROM pool"));
  MUSTER_TRY(const bool entered, pool.step());
  if (entered) state_.pool = pool.blob(0);
  // Beside MAX, SQLite gives the bytes of the very row that has it.
  MUSTER_TRY(auto seals, Statement::prepare(database_,
                                            "SELECT job, run, MAX(seals), bytes FROM record "
                                            "WHERE seals > 0 GROUP BY job, run"));
  while (true) {
    MUSTER_TRY(const bool row, seals.step());
    if (!row) return {};
    state_.seals[{seals.blob(0), static_cast<uint32_t>(seals.integer(1))}] = {
        static_cast<uint64_t>(seals.integer(2)), seals.blob(3)};
  }
}

RecordStore::~RecordStore() {
  thread_.reset();
  sqlite3_close(database_);
}

void RecordStore::write(pb::Role owner, roles::RecordWrite write) {
  const size_t bytes = bytes_of(write);
  ++writes_;
  write_bytes_ += bytes;
  if (writes_ > bounds_.entries || write_bytes_ > bounds_.bytes) {
    --writes_;
    write_bytes_ -= bytes;
    return inbox_.post(owner, roles::Stored{write.id, roles::Outcome::kFailed, kTooSlow});
  }
  MUSTER_CHECK(thread_->put(WriteJob{owner, std::move(write)}));
}

bool RecordStore::admit_read() {
  if (++reads_ <= bounds_.entries) return true;
  --reads_;
  return false;
}

void RecordStore::read(pb::Role owner, const roles::ReadRecords& read) {
  if (!admit_read()) {
    return inbox_.post(owner, roles::RecordsRead{read.reader, fail(Code::kTryLater, kTooSlow), {}});
  }
  MUSTER_CHECK(thread_->put(ReadJob{owner, read}));
}

void RecordStore::read_digests(pb::Role owner, const roles::ReadDigests& read) {
  if (!admit_read()) {
    return inbox_.post(owner, roles::DigestsRead{read.about, fail(Code::kTryLater, kTooSlow)});
  }
  MUSTER_CHECK(thread_->put(DigestsJob{owner, read}));
}

void RecordStore::take(std::deque<Work> work) {
  write_together(work);
  for (Work& entry : work) {
    if (auto* job = std::get_if<ReadJob>(&entry)) {
      inbox_.post(job->owner, read_batch(job->read));
      --reads_;
    }
    if (auto* job = std::get_if<DigestsJob>(&entry)) {
      auto digests = guarded([&] { return digests_of(job->read); });
      inbox_.post(job->owner, roles::DigestsRead{job->read.about, std::move(digests)});
      --reads_;
    }
  }
}

// All writes that wait, in one transaction: one sync for many.
void RecordStore::write_together(std::deque<Work>& work) {
  std::vector<WriteJob*> jobs;
  for (Work& entry : work) {
    if (auto* job = std::get_if<WriteJob>(&entry)) jobs.push_back(job);
  }
  if (jobs.empty()) return;
  auto outcome = roles::Outcome::kFailed;
  Status done = still_whole(guarded([&] { return begin_commit(jobs); }));
  if (done) {
    done = still_whole(execute(database_, "COMMIT"));
    outcome = done ? roles::Outcome::kDone : roles::Outcome::kUnknown;
  }
  if (!done) (void)execute(database_, "ROLLBACK");
  for (const WriteJob* job : jobs) {
    --writes_;
    write_bytes_ -= bytes_of(job->write);
    inbox_.post(job->owner,
                roles::Stored{job->write.id, outcome, done ? "" : done.error().message});
  }
}

// All but its end.
Status RecordStore::begin_commit(const std::vector<WriteJob*>& jobs) {
  if (damaged_) return fail(Code::kDataLoss, kDamaged);
  MUSTER_TRY_STATUS(execute(database_, "BEGIN IMMEDIATE"));
  for (const WriteJob* job : jobs) MUSTER_TRY_STATUS(apply(job->write.change));
  return file_.still_there();
}

Status RecordStore::apply(const roles::RecordChange& change) {
  return std::visit(overloaded{[&](const roles::PutRecords& records) { return put(records); },
                               [&](const roles::DropRecords& gone) { return drop(gone); },
                               [&](const roles::KeepRuns& runs) { return keep(runs); },
                               [&](const roles::EnterPool& pool) { return enter(pool); },
                               [&](const roles::ProbeSpace& space) { return probe(space.bytes); }},
                    change);
}

Status RecordStore::put(const roles::PutRecords& put) {
  for (const roles::StoredRecord& record : put.records) MUSTER_TRY_STATUS(insert(record));
  return {};
}

Status RecordStore::drop(const roles::DropRecords& gone) {
  for (const Digest& digest : gone.digests) MUSTER_TRY_STATUS(drop(digest));
  return {};
}

// A file that turns out to be damaged takes no more: the node leaves the view, and a restart begins
// another store.
Status RecordStore::still_whole(Status outcome) {
  damaged_ |= !outcome && outcome.error().code == Code::kDataLoss;
  return outcome;
}

Status RecordStore::probe(uint64_t bytes) const {
  const Path path = folder_ / "probe";
  Status written = write_file_atomically(path, std::string(bytes, '\0'));
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return written;
}

Status RecordStore::insert(const roles::StoredRecord& record) {
  MUSTER_TRY(auto put, Statement::prepare(database_,
                                          "INSERT INTO record (digest, job, run, bytes, seals) "
                                          "VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE "
                                          "SET bytes = excluded.bytes "  // Mends a damaged one.
                                          "WHERE bytes <> excluded.bytes"));
  put.bind(1, record.digest.view());
  put.bind_text(2, record.run.job);
  put.bind(3, static_cast<int64_t>(record.run.run));
  put.bind(4, std::string_view(record.bytes));
  put.bind(5, static_cast<int64_t>(record.seals));
  MUSTER_TRY([[maybe_unused]] const bool more, put.step());
  return {};
}

Status RecordStore::drop(const Digest& digest) {
  MUSTER_TRY(auto drop, Statement::prepare(database_, "DELETE FROM record WHERE digest = ?"));
  drop.bind(1, digest.view());
  MUSTER_TRY([[maybe_unused]] const bool more, drop.step());
  return {};
}

Status RecordStore::keep(const roles::KeepRuns& keep) {
  std::vector<wire::RunKey> gone;
  MUSTER_TRY(auto runs, Statement::prepare(database_, "SELECT DISTINCT job, run FROM record"));
  while (true) {
    MUSTER_TRY(const bool row, runs.step());
    if (!row) break;
    const wire::RunKey run{runs.blob(0), static_cast<uint32_t>(runs.integer(1))};
    if (std::find(keep.runs.begin(), keep.runs.end(), run) == keep.runs.end()) gone.push_back(run);
  }
  for (const auto& [job, run] : gone) {
    MUSTER_TRY(auto drop,
               Statement::prepare(database_, "DELETE FROM record WHERE job = ? AND run = ?"));
    drop.bind_text(1, job);
    drop.bind(2, run);
    MUSTER_TRY([[maybe_unused]] const bool more, drop.step());
  }
  return {};
}

// Records of another pool go; those of before there were pools are this one's.
Status RecordStore::enter(const roles::EnterPool& enter) {
  MUSTER_TRY(auto drop, Statement::prepare(database_,
                                           "DELETE FROM record WHERE EXISTS "
                                           "(SELECT 1 FROM pool WHERE id <> ?)"));
  drop.bind(1, std::string_view(enter.pool));
  MUSTER_TRY([[maybe_unused]] const bool none, drop.step());
  MUSTER_TRY_STATUS(execute(database_, "DELETE FROM pool"));
  MUSTER_TRY(auto put, Statement::prepare(database_, "INSERT INTO pool (id) VALUES (?)"));
  put.bind(1, std::string_view(enter.pool));
  MUSTER_TRY([[maybe_unused]] const bool more, put.step());
  return {};
}

roles::RecordsRead RecordStore::read_batch(const roles::ReadRecords& read) {
  std::vector<Digest> damaged;
  auto feed = guarded([&] {
    return read.request.digests().empty() ? read_feed(read.request, damaged)
                                          : read_picked(read.request, damaged);
  });
  damaged_ |= !feed && feed.error().code == Code::kDataLoss;
  return {read.reader, std::move(feed), std::move(damaged)};
}

Result<std::vector<Digest>> RecordStore::digests_of(const roles::ReadDigests& read) {
  std::vector<Digest> digests;
  MUSTER_TRY(auto find,
             Statement::prepare(database_, "SELECT digest FROM record WHERE job = ? AND run = ?"));
  find.bind_text(1, read.run.job);
  find.bind(2, static_cast<int64_t>(read.run.run));
  while (true) {
    MUSTER_TRY(const bool row, find.step());
    if (!row) return digests;
    // What cannot be named is as good as not there.
    if (const auto digest = Digest::from_bytes(find.blob(0))) digests.push_back(*digest);
  }
}

Result<pb::Feed> RecordStore::read_picked(const pb::Subscribe& request,
                                          std::vector<Digest>& damaged) {
  pb::Feed feed = answer_to(request);
  size_t bytes = 0;
  for (int i = 0; i < std::min(request.digests_size(), kMostPicked); ++i) {
    if (bytes >= roles::kMaxPutBytes) break;
    const auto digest = Digest::from_bytes(request.digests(i));
    if (!digest) continue;  // The asker's mistake, not the disk's.
    MUSTER_TRY(auto find, Statement::prepare(database_,
                                             "SELECT bytes FROM record WHERE digest = ? AND "
                                             "job = ? AND run = ?"));
    find.bind(1, digest->view());
    find.bind_text(2, request.job());
    find.bind(3, static_cast<int64_t>(request.run()));
    MUSTER_TRY(const bool row, find.step());
    if (!row) continue;
    const std::string record = find.blob(0);
    bytes += record.size();
    add_checked(record, *digest, feed, damaged);
  }
  return feed;
}

Result<pb::Feed> RecordStore::read_feed(const pb::Subscribe& request,
                                        std::vector<Digest>& damaged) {
  pb::Feed feed = answer_to(request);
  MUSTER_TRY(auto find,
             Statement::prepare(database_,
                                "SELECT sequence, bytes, digest FROM record WHERE job = ? AND "
                                "run = ? AND sequence > ? ORDER BY sequence"));
  find.bind_text(1, request.job());
  find.bind(2, static_cast<int64_t>(request.run()));
  find.bind(3, static_cast<int64_t>(std::min<uint64_t>(request.cursor(), INT64_MAX)));
  for (size_t bytes = 0; bytes < roles::kMaxPutBytes;) {
    MUSTER_TRY(const bool row, find.step());
    if (!row) {
      feed.set_at_end(true);
      break;
    }
    const std::string record = find.blob(1);
    bytes += record.size();
    feed.set_next(static_cast<uint64_t>(find.integer(0)));
    if (const auto name = Digest::from_bytes(find.blob(2))) {
      add_checked(record, *name, feed, damaged);
    }
  }
  return feed;
}

}  // namespace muster::io
