#include "sim/disk.h"

#include "base/check.h"

namespace muster::sim {

void RecordDisk::wipe(std::string store_id) {
  store_id_ = std::move(store_id);
  records_.clear();
  by_digest_.clear();
}

void RecordDisk::put(const roles::PutRecords& put) {
  for (const auto& record : put.records) {
    if (!by_digest_.emplace(record.digest, records_.size()).second) continue;
    records_.push_back(record);
  }
}

pb::Feed RecordDisk::read(const pb::Subscribe& request) const {
  pb::Feed feed;
  feed.set_job(request.job());
  feed.set_run(request.run());
  feed.set_from(request.cursor());
  feed.set_copying(request.copying());
  feed.set_at_end(true);
  uint64_t next = std::max<uint64_t>(request.cursor(), records_.size());
  size_t bytes = 0;
  for (size_t i = request.cursor(); i < records_.size(); ++i) {
    const roles::StoredRecord& record = records_[i];
    if (record.job != request.job() || record.run != request.run()) continue;
    if (bytes >= roles::kMaxPutBytes) {
      next = i;
      feed.set_at_end(false);
      break;
    }
    bytes += record.bytes.size();
    MUSTER_CHECK(feed.add_records()->ParseFromString(record.bytes));
  }
  feed.set_next(next);
  return feed;
}

void ServerDisk::apply(const roles::Write& write) {
  if (const auto* save = std::get_if<roles::SaveView>(&write.what)) view = save->view;
  if (const auto* save = std::get_if<roles::SaveJob>(&write.what))
    rows[save->row.job()] = save->row;
}

roles::server::ServerState ServerDisk::state() const {
  roles::server::ServerState state{.view = view, .jobs = {}};
  for (const auto& [id, row] : rows) state.jobs.push_back(row);
  return state;
}

}  // namespace muster::sim
