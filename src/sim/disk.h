#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "roles/role.h"
#include "roles/server/server_state.h"
#include "roles/storage/storage.h"

namespace muster::sim {

// What a storage node has on disk, and what ails it. Writes are transactions: applied whole, and
// durable from then on; what was asked for but not yet applied is lost in a crash.
class RecordDisk {
 public:
  // Another store: empty, with another id.
  void wipe(std::string store_id);

  void apply(const roles::RecordChange& change);
  void put(const roles::PutRecords& put);
  void drop(const roles::DropRecords& drop);
  void keep(const roles::KeepRuns& keep);
  void enter(const roles::EnterPool& enter);
  [[nodiscard]] roles::RecordsRead read(const roles::ReadRecords& read) const;
  [[nodiscard]] std::vector<Digest> digests_of(const wire::RunKey& run) const;
  // A fault, not the pool, took it at some time: nobody is to blame should it be missing.
  [[nodiscard]] bool was_harmed(const Digest& digest) const { return harmed_.contains(digest); }
  // Intact.
  [[nodiscard]] bool holds(const Digest& digest) const;
  // Alters bytes of a record, if there is one. Returns its name.
  std::optional<Digest> rot(uint64_t draw);
  [[nodiscard]] const std::string& store_id() const { return state_.store_id; }
  [[nodiscard]] const roles::storage::StorageState& state() const { return state_; }
  [[nodiscard]] const std::vector<roles::StoredRecord>& records() const { return records_; }

 private:
  [[nodiscard]] roles::RecordsRead read_picked(const roles::ReadRecords& read) const;

  roles::storage::StorageState state_;
  std::vector<roles::StoredRecord> records_;  // In the order of writing: a feed's cursor.
  std::map<Digest, size_t> by_digest_;
  std::set<Digest> rotten_;  // Now.
  std::set<Digest> harmed_;  // Ever.
};

// The server's database.
struct ServerDisk {
  uint64_t pool_epoch = 0;  // Raised by every server that opens it.
  pb::PoolRow pool;
  pb::View view;
  std::map<std::string, pb::JobRow> rows;  // By job: the latest run.
  std::map<std::string, pb::MachineRow> machines;
  std::map<std::string, pb::TokenRow> tokens;
  std::map<std::pair<std::string, uint64_t>, pb::Reason> reasons;  // {job, number}

  void apply(const roles::Change& change);
  [[nodiscard]] roles::server::ServerState state() const;
  [[nodiscard]] roles::FoundJobs find(const roles::FindJobs& find) const;

 private:
  [[nodiscard]] roles::FoundJobs all() const;
  [[nodiscard]] roles::FoundJobs named(const std::string& prefix) const;
  [[nodiscard]] bool is_of_latest_run(const pb::Reason& reason) const;
};

}  // namespace muster::sim
