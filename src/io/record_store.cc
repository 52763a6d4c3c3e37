#include "io/record_store.h"

#include "io/machine_keys.h"
#include "io/sqlite.h"

namespace muster::io {
namespace {

constexpr char kSchema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS store (id BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS record ("
    "  sequence INTEGER PRIMARY KEY AUTOINCREMENT,"  // The order of a feed, and its cursor.
    "  digest BLOB NOT NULL UNIQUE,"
    "  job TEXT NOT NULL,"
    "  run INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS record_by_job ON record (job, run, sequence);";

}  // namespace

Result<std::unique_ptr<RecordStore>> RecordStore::open(const Path& state_dir, host::Inbox& inbox) {
  std::unique_ptr<RecordStore> store(new RecordStore(inbox));
  store->folder_ = state_dir;
  const Path path = state_dir / "records.db";
  if (auto prepared = store->prepare(path); !prepared) {
    return fail(prepared.error().in(path.string()));
  }
  store->thread_ = std::make_unique<WorkThread<Work>>(
      [raw = store.get()](std::deque<Work> work) { raw->take(std::move(work)); });
  return store;
}

Status RecordStore::prepare(const Path& path) {
  if (sqlite3_open(path.c_str(), &database_) != SQLITE_OK) {
    return fail(Code::kDisk, sqlite3_errmsg(database_));
  }
  sqlite3_busy_timeout(database_, 5000);
  MUSTER_TRY_STATUS(execute(database_, kSchema));
  MUSTER_TRY(auto find, Statement::prepare(database_, "SELECT id FROM store"));
  MUSTER_TRY(const bool known, find.step());
  if (known) {
    store_id_ = find.blob(0);
    return {};
  }
  store_id_ = to_hex(random_bytes(8));
  MUSTER_TRY(auto put, Statement::prepare(database_, "INSERT INTO store (id) VALUES (?)"));
  put.bind(1, std::string_view(store_id_));
  MUSTER_TRY([[maybe_unused]] const bool more, put.step());
  return {};
}

RecordStore::~RecordStore() {
  thread_.reset();
  sqlite3_close(database_);
}

void RecordStore::write(pb::Role owner, roles::Write write) {
  thread_->put(WriteJob{owner, std::move(write)});
}

void RecordStore::read(pb::Role owner, const roles::ReadRecords& read) {
  thread_->put(ReadJob{owner, read});
}

void RecordStore::take(std::deque<Work> work) {
  write_together(work);
  for (Work& entry : work) {
    auto* job = std::get_if<ReadJob>(&entry);
    if (job == nullptr) continue;
    inbox_.post(job->owner, roles::RecordsRead{job->read.reader, read_batch(job->read.request)});
  }
}

// All writes that wait, in one transaction: one sync for many.
void RecordStore::write_together(std::deque<Work>& work) {
  std::vector<WriteJob*> jobs;
  for (Work& entry : work) {
    if (auto* job = std::get_if<WriteJob>(&entry)) jobs.push_back(job);
  }
  if (jobs.empty()) return;
  auto commit = [&]() -> Status {
    MUSTER_TRY_STATUS(execute(database_, "BEGIN IMMEDIATE"));
    for (const WriteJob* job : jobs) {
      if (const auto* space = std::get_if<roles::ProbeSpace>(&job->write.what)) {
        MUSTER_TRY_STATUS(probe(space->bytes));
      }
      const auto* put = std::get_if<roles::PutRecords>(&job->write.what);
      if (put == nullptr) continue;
      for (const auto& record : put->records) MUSTER_TRY_STATUS(insert(record));
    }
    return execute(database_, "COMMIT");
  };
  const Status committed = commit();
  if (!committed) (void)execute(database_, "ROLLBACK");
  for (const WriteJob* job : jobs) {
    inbox_.post(
        job->owner,
        roles::Stored{job->write.id, committed ? roles::Outcome::kDone : roles::Outcome::kFailed,
                      committed ? "" : committed.error().message});
  }
}

Status RecordStore::probe(uint64_t bytes) const {
  const Path path = folder_ / "probe";
  const Status written = write_file_atomically(path, std::string(bytes, '\0'));
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return written;
}

Status RecordStore::insert(const roles::StoredRecord& record) {
  MUSTER_TRY(auto put, Statement::prepare(database_,
                                          "INSERT OR IGNORE INTO record (digest, job, run, bytes) "
                                          "VALUES (?, ?, ?, ?)"));
  put.bind(1, record.digest.view());
  put.bind_text(2, record.job);
  put.bind(3, static_cast<int64_t>(record.run));
  put.bind(4, std::string_view(record.bytes));
  MUSTER_TRY([[maybe_unused]] const bool more, put.step());
  return {};
}

Result<pb::Feed> RecordStore::read_batch(const pb::Subscribe& request) {
  pb::Feed feed;
  feed.set_job(request.job());
  feed.set_run(request.run());
  feed.set_from(request.cursor());
  feed.set_next(request.cursor());
  feed.set_copying(request.copying());
  MUSTER_TRY(auto find, Statement::prepare(database_,
                                           "SELECT sequence, bytes FROM record WHERE job = ? AND "
                                           "run = ? AND sequence > ? ORDER BY sequence"));
  find.bind_text(1, request.job());
  find.bind(2, static_cast<int64_t>(request.run()));
  find.bind(3, static_cast<int64_t>(request.cursor()));
  for (size_t bytes = 0; bytes < roles::kMaxPutBytes;) {
    MUSTER_TRY(const bool row, find.step());
    if (!row) {
      feed.set_at_end(true);
      break;
    }
    const std::string record = find.blob(1);
    bytes += record.size();
    feed.set_next(static_cast<uint64_t>(find.integer(0)));
    if (!feed.add_records()->ParseFromString(record)) feed.mutable_records()->RemoveLast();
  }
  return feed;
}

}  // namespace muster::io
