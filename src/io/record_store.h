#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <variant>

#include "base/file.h"
#include "base/result.h"
#include "host/ports.h"
#include "io/file_identity.h"
#include "io/work_thread.h"
#include "roles/storage/storage.h"

struct sqlite3;

namespace muster::io {

// A storage node's records: one SQLite file, write-ahead log, synced before a write is answered.
// Writes that wait together are committed together. Reads and writes run on a thread of their own.
//
// A write whose transaction was not carried out has failed; where the file was asked to end it, and
// did not say that it has, it is kUnknown whether it is there.
//
// What waits for the disk is bounded: what is over is answered at once, a write by kFailed, a read
// by kTryLater, so that a disk that hangs is noticed and fills no memory. A write also fails while
// the file is not where it was opened (it was deleted, or its folder). Nothing in a request makes
// the store call itself damaged; only SQLite does.
class RecordStore final : public host::Records {
 public:
  struct Bounds {
    size_t entries = 20'000;           // Writes, and as many reads.
    size_t bytes = size_t{256} << 20;  // Of records in writes that wait.
  };

  // Opens records.db in the folder, or makes it. A file that is torn or no database is set aside
  // (records.damaged-N.db) and another store begun: what it held is on the other stores. kDisk when
  // the disk cannot be used. `inbox` outlives the object.
  static Result<std::unique_ptr<RecordStore>> open(const Path& state_dir, host::Inbox& inbox,
                                                   Bounds bounds);
  static Result<std::unique_ptr<RecordStore>> open(const Path& state_dir, host::Inbox& inbox) {
    return open(state_dir, inbox, Bounds());
  }
  ~RecordStore() override;

  // As it was opened. The store id is drawn when the store is made: a wiped folder is another
  // store, and so is a copy of one.
  [[nodiscard]] const roles::storage::StorageState& state() const { return state_; }

  // Where a damaged file was put; empty: it was whole.
  [[nodiscard]] const Path& set_aside() const { return set_aside_; }

  // The file was made on another machine, or as another file: it was copied, or restored.
  [[nodiscard]] bool is_copy() const { return is_copy_; }

  void write(pb::Role owner, roles::RecordWrite write) override;
  void read(pb::Role owner, const roles::ReadRecords& read) override;
  void read_digests(pb::Role owner, const roles::ReadDigests& read) override;

 private:
  struct WriteJob {
    pb::Role owner;
    roles::RecordWrite write;
  };
  struct ReadJob {
    pb::Role owner;
    roles::ReadRecords read;
  };
  struct DigestsJob {
    pb::Role owner;
    roles::ReadDigests read;
  };
  using Work = std::variant<WriteJob, ReadJob, DigestsJob>;

  RecordStore(host::Inbox& inbox, Bounds bounds) : inbox_(inbox), bounds_(bounds) {}
  Status prepare(const Path& path);
  Status settle_down(const Path& path);
  Status begin_anew(const Path& path);
  Status still_whole(Status outcome);
  Status read_state();
  bool admit_read();
  void take(std::deque<Work> work);
  void write_together(std::deque<Work>& work);
  Status begin_commit(const std::vector<WriteJob*>& jobs);
  Status apply(const roles::RecordChange& change);
  Status put(const roles::PutRecords& put);
  Status insert(const roles::StoredRecord& record);
  Status probe(uint64_t bytes) const;
  Status drop(const roles::DropRecords& gone);
  Status drop(const Digest& digest);
  Status keep(const roles::KeepRuns& keep);
  Status enter(const roles::EnterPool& enter);
  roles::RecordsRead read_batch(const roles::ReadRecords& read);
  Result<pb::Feed> read_feed(const pb::Subscribe& request, std::vector<Digest>& damaged);
  Result<pb::Feed> read_picked(const pb::Subscribe& request, std::vector<Digest>& damaged);
  Result<std::vector<Digest>> digests_of(const roles::ReadDigests& read);

  host::Inbox& inbox_;
  const Bounds bounds_;
  std::atomic<size_t> writes_ = 0, write_bytes_ = 0, reads_ = 0;  // Asked for and not answered.
  Path folder_, set_aside_;
  FileIdentity file_;
  bool is_copy_ = false;
  bool damaged_ = false;  // Found while it was open: nothing more is written until a restart.
  sqlite3* database_ = nullptr;
  roles::storage::StorageState state_;
  std::unique_ptr<WorkThread<Work>> thread_;  // From open() on.
};

}  // namespace muster::io
