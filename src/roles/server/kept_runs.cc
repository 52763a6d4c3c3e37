#include "roles/server/kept_runs.h"

#include "base/check.h"

namespace muster::roles::server {
namespace {

// In a message, with what names it there.
size_t bytes_of(const std::string& run) { return run.size() + 4; }

}  // namespace

void KeptRuns::add(const KeptRun& over) {
  const std::string& job = over.run.job();
  drop(job);
  std::string run = over.run.SerializeAsString();
  bytes_ += bytes_of(run);
  ended_at_ms_[job] = over.ended_at_ms;
  runs_[{over.ended_at_ms, job}] = std::move(run);
  while (bytes_ > kMostFound) erase(runs_.begin());
}

void KeptRuns::drop(const std::string& job) {
  const auto ended = ended_at_ms_.find(job);
  if (ended != ended_at_ms_.end()) erase(runs_.find({ended->second, job}));
}

void KeptRuns::erase(std::map<Key, std::string>::iterator run) {
  bytes_ -= bytes_of(run->second);
  ended_at_ms_.erase(run->first.second);
  runs_.erase(run);
}

std::vector<pb::LiveJob> KeptRuns::list(int64_t now_ms) const {
  std::vector<pb::LiveJob> runs;
  for (auto it = runs_.rbegin(); it != runs_.rend(); ++it) {
    if (it->first.first + retain_ms_ <= now_ms) break;
    runs.emplace_back().ParseFromString(it->second);
  }
  return runs;
}

bool KeptRuns::expire(Instant now, int64_t now_ms, Effects& effects) {
  const size_t before = runs_.size();
  while (!runs_.empty() && runs_.begin()->first.first + retain_ms_ <= now_ms) erase(runs_.begin());
  if (!runs_.empty()) {
    effects.wake_by(now + milliseconds(runs_.begin()->first.first + retain_ms_ - now_ms));
  }
  return runs_.size() < before;
}

void KeptRuns::check() const {
  size_t bytes = 0;
  for (const auto& [key, run] : runs_) {
    MUSTER_CHECK(ended_at_ms_.at(key.second) == key.first);
    bytes += bytes_of(run);
  }
  MUSTER_CHECK(ended_at_ms_.size() == runs_.size());
  MUSTER_CHECK(bytes == bytes_ && bytes <= kMostFound);
}

pb::LiveJob run_of(const pb::JobRow& row) {
  pb::LiveJob run;
  run.set_job(row.job());
  run.set_run(row.run());
  run.set_epoch(row.epoch());
  *run.mutable_assignments() = row.assignments();
  return run;
}

std::optional<KeptRun> kept_run(const pb::JobRow& row) {
  if (row.frozen_digest().empty()) return std::nullopt;
  return KeptRun{row.ended_at_ms(), run_of(row)};
}

}  // namespace muster::roles::server
