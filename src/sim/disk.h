#pragma once

#include <map>
#include <string>
#include <vector>

#include "roles/role.h"
#include "roles/server/server.h"

namespace muster::sim {

// What a storage node has on disk, and what ails it. Writes are transactions: applied whole, and
// durable from then on; what was asked for but not yet applied is lost in a crash.
class RecordDisk {
 public:
  // Another store: empty, with another id.
  void wipe(std::string store_id);

  void put(const roles::PutRecords& put);
  [[nodiscard]] pb::Feed read(const pb::Subscribe& request) const;
  [[nodiscard]] bool holds(const Digest& digest) const { return by_digest_.contains(digest); }
  [[nodiscard]] const std::string& store_id() const { return store_id_; }
  [[nodiscard]] const std::vector<roles::StoredRecord>& records() const { return records_; }

 private:
  std::string store_id_;
  std::vector<roles::StoredRecord> records_;  // In the order of writing: a feed's cursor.
  std::map<Digest, size_t> by_digest_;
};

// The server's database.
struct ServerDisk {
  uint64_t pool_epoch = 0;  // Raised by every server that opens it.
  pb::View view;
  std::map<std::string, pb::JobRow> rows;  // By job: the latest run.

  void apply(const roles::Write& write);
  [[nodiscard]] roles::server::ServerState state() const;
};

}  // namespace muster::sim
