#include "sim/disk.h"

#include <algorithm>

#include "base/overloaded.h"
#include "roles/server/job_row.h"
#include "wire/job_state.h"

namespace muster::sim {

void RecordDisk::wipe(std::string store_id) {
  state_ = {.store_id = std::move(store_id)};
  records_.clear();
  by_digest_.clear();
  rotten_.clear();
  harmed_.clear();
}

void RecordDisk::apply(const roles::RecordChange& change) {
  std::visit(
      overloaded{[&](const roles::PutRecords& records) { put(records); },
                 [&](const roles::DropRecords& records) { drop(records); },
                 [&](const roles::KeepRuns& runs) { keep(runs); },
                 [&](const roles::EnterPool& pool) { enter(pool); }, Ignores<roles::ProbeSpace>{}},
      change);
}

void RecordDisk::put(const roles::PutRecords& put) {
  for (const auto& record : put.records) {
    auto [known, is_new] = by_digest_.emplace(record.digest, records_.size());
    if (!is_new) {
      records_[known->second].bytes = record.bytes;  // Mends it, should it have been damaged.
      rotten_.erase(record.digest);
      continue;
    }
    records_.push_back(record);
    if (record.seals == 0) continue;
    auto& seal = state_.seals[record.run];
    if (seal.epoch < record.seals) seal = {record.seals, record.bytes};
  }
}

void RecordDisk::drop(const roles::DropRecords& drop) {
  for (const Digest& digest : drop.digests) {
    auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) continue;
    records_[found->second].bytes.clear();  // Its place in the order stays taken.
    records_[found->second].run = {};
    by_digest_.erase(found);
    rotten_.erase(digest);
  }
}

void RecordDisk::keep(const roles::KeepRuns& keep) {
  roles::DropRecords gone;
  for (const roles::StoredRecord& record : records_) {
    if (record.run.job.empty()) continue;
    if (std::find(keep.runs.begin(), keep.runs.end(), record.run) == keep.runs.end()) {
      gone.digests.push_back(record.digest);
      state_.seals.erase(record.run);
    }
  }
  drop(gone);
}

void RecordDisk::enter(const roles::EnterPool& enter) {
  if (!state_.pool.empty() && state_.pool != enter.pool) wipe(state_.store_id);
  state_.pool = enter.pool;
}

bool RecordDisk::holds(const Digest& digest) const {
  return by_digest_.contains(digest) && !rotten_.contains(digest);
}

std::optional<Digest> RecordDisk::rot(uint64_t draw) {
  if (by_digest_.empty()) return std::nullopt;
  roles::StoredRecord& record = records_[draw % records_.size()];
  if (record.bytes.empty()) return std::nullopt;
  record.bytes[draw % record.bytes.size()] ^= static_cast<char>(1 + draw % 255);
  rotten_.insert(record.digest);
  harmed_.insert(record.digest);
  return record.digest;
}

std::vector<Digest> RecordDisk::digests_of(const wire::RunKey& run) const {
  std::vector<Digest> digests;
  for (const roles::StoredRecord& record : records_) {
    if (record.run == run) digests.push_back(record.digest);
  }
  return digests;
}

roles::RecordsRead RecordDisk::read_picked(const roles::ReadRecords& read) const {
  const pb::Subscribe& request = read.request;
  pb::Feed feed;
  std::vector<Digest> damaged;
  feed.set_job(request.job());
  feed.set_run(request.run());
  feed.set_copying(true);
  feed.set_picked(true);
  for (const std::string& name : request.digests()) {
    const auto named = Digest::from_bytes(name);
    if (!named) continue;
    const Digest digest = *named;
    auto found = by_digest_.find(digest);
    if (found == by_digest_.end()) continue;
    if (rotten_.contains(digest)) {
      damaged.push_back(digest);
    } else {
      feed.add_records()->ParseFromString(records_[found->second].bytes);
    }
  }
  return {read.reader, std::move(feed), std::move(damaged)};
}

roles::RecordsRead RecordDisk::read(const roles::ReadRecords& read) const {
  const pb::Subscribe& request = read.request;
  if (!request.digests().empty()) return read_picked(read);
  pb::Feed feed;
  std::vector<Digest> damaged;
  feed.set_job(request.job());
  feed.set_run(request.run());
  feed.set_from(request.cursor());
  feed.set_copying(request.copying());
  feed.set_epoch(request.epoch());
  feed.set_view(request.view());
  feed.set_at_end(true);
  uint64_t next = std::max<uint64_t>(request.cursor(), records_.size());
  size_t bytes = 0;
  for (size_t i = request.cursor(); i < records_.size(); ++i) {
    const roles::StoredRecord& record = records_[i];
    if (!wire::is_of(record.run, request)) continue;
    if (bytes >= roles::kMaxPutBytes) {
      next = i;
      feed.set_at_end(false);
      break;
    }
    bytes += record.bytes.size();
    if (!rotten_.contains(record.digest)) {
      feed.add_records()->ParseFromString(record.bytes);
      continue;
    }
    damaged.push_back(record.digest);
  }
  feed.set_next(next);
  return {read.reader, std::move(feed), std::move(damaged)};
}

void ServerDisk::apply(const roles::Change& change) {
  std::visit(
      overloaded{[&](const roles::SavePool& save) { pool = save.row; },
                 [&](const roles::SaveView& save) { view = save.view; },
                 [&](const roles::SaveJob& save) { rows[save.row.job()] = save.row; },
                 [&](const roles::SaveMachine& save) { machines[save.row.machine()] = save.row; },
                 [&](const roles::SaveReason& save) {
                   reasons[{save.reason.job(), save.reason.number()}] = save.reason;
                 },
                 [&](const roles::SaveToken& save) { tokens[save.row.id()] = save.row; },
                 [&](const roles::DropToken& drop) { tokens.erase(drop.id); }},
      change);
}

roles::server::ServerState ServerDisk::state() const {
  roles::server::ServerState state{.pool_epoch = pool_epoch,
                                   .pool = pool,
                                   .view = view,
                                   .live = {},
                                   .kept = {},
                                   .machines = {},
                                   .reasons = {},
                                   .tokens = {}};
  std::vector<const pb::JobRow*> over;
  for (const auto& [id, row] : rows) {
    wire::is_over(row.state()) ? over.push_back(&row) : state.live.push_back(row);
  }
  std::stable_sort(over.begin(), over.end(), [](const auto* a, const auto* b) {
    return a->ended_at_ms() > b->ended_at_ms();
  });
  for (const pb::JobRow* row : over) {
    if (state.kept.size() >= roles::server::kMostKept) break;
    if (auto run = roles::server::kept_run(*row)) state.kept.push_back(std::move(*run));
  }
  for (const auto& [id, row] : machines) state.machines.push_back(row);
  for (const auto& [id, row] : tokens) state.tokens.push_back(row);
  for (const auto& [id, reason] : reasons) {
    if (is_of_latest_run(reason)) state.reasons.push_back(reason);
  }
  return state;
}

roles::FoundJobs ServerDisk::find(const roles::FindJobs& find) const {
  roles::FoundJobs found = find.named.empty() ? all() : named(find.named);
  for (const auto& [id, reason] : reasons) {
    if (!is_of_latest_run(reason)) continue;
    if (found.rows.size() == 1 && reason.job() == found.rows.front().job()) {
      found.reasons.push_back(reason);
    }
    if (!find.machine.empty() && reason.machine() == find.machine) {
      found.reasons_of_machine.push_back(reason);
    }
  }
  std::stable_sort(found.reasons_of_machine.begin(), found.reasons_of_machine.end(),
                   [](const auto& a, const auto& b) { return a.at_ms() < b.at_ms(); });
  return found;
}

roles::FoundJobs ServerDisk::named(const std::string& prefix) const {
  roles::FoundJobs found;
  for (auto it = rows.lower_bound(prefix); it != rows.end() && it->first.starts_with(prefix);
       ++it) {
    if (found.rows.size() < roles::kMostNamed) found.rows.push_back(it->second);
  }
  return found;
}

roles::FoundJobs ServerDisk::all() const {
  std::vector<const pb::JobRow*> latest;
  for (const auto& [id, row] : rows) latest.push_back(&row);
  std::stable_sort(latest.begin(), latest.end(), [](const auto* a, const auto* b) {
    return a->accepted_at_ms() > b->accepted_at_ms();
  });
  roles::FoundJobs found{.in_all = rows.size()};
  size_t bytes = 0;
  for (const pb::JobRow* row : latest) {
    bytes += row->ByteSizeLong();
    if (bytes > roles::kMostFound) break;
    found.rows.push_back(*row);
  }
  return found;
}

bool ServerDisk::is_of_latest_run(const pb::Reason& reason) const {
  const auto row = rows.find(reason.job());
  return row != rows.end() && row->second.run() == reason.run();
}

}  // namespace muster::sim
