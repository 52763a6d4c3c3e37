#include "roles/storage/readers.h"

namespace muster::roles::storage {

bool Readers::begin_read(const pb::Address& reader) {
  if (reader.role() != pb::ROLE_STORAGE) return true;
  size_t& reads = reads_[reader.machine()];
  if (reads >= kMostReads) return false;
  ++reads;
  return true;
}

void Readers::end_read(const pb::Address& reader) {
  const auto found = reads_.find(reader.machine());
  if (reader.role() != pb::ROLE_STORAGE || found == reads_.end()) return;
  if (--found->second == 0) reads_.erase(found);
}

void Readers::wait(const pb::Address& reader, const pb::Subscribe& request) {
  if (waiting_.size() < kMost) waiting_.push_back({reader, request});
}

void Readers::forget(const pb::Address& reader, const pb::Subscribe& request) {
  std::erase_if(waiting_, [&](const Reader& one) {
    return one.address.role() == reader.role() && one.address.machine() == reader.machine() &&
           same_run(one.request, request);
  });
}

void Readers::wake(const std::set<std::string>& jobs, Effects& effects) {
  std::erase_if(waiting_, [&](const Reader& reader) {
    if (!jobs.contains(reader.request.job())) return false;
    effects.run.push_back(ReadRecords{reader.address, reader.request});
    return true;
  });
}

void Readers::keep_only(const IsLive& is_live) {
  std::erase_if(waiting_, [&](const Reader& reader) { return !is_live(run_key(reader.request)); });
}

}  // namespace muster::roles::storage
