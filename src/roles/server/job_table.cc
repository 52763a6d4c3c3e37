#include "roles/server/job_table.h"

#include <algorithm>

#include "base/check.h"
#include "base/probe.h"
#include "wire/job_state.h"
#include "wire/run_key.h"

namespace muster::roles::server {

void JobTable::restore(pb::JobRow row) {
  Job& job = jobs_[row.job()];
  job.tenure = Tenure(row.coordinator());
  live_.insert(row.job());
  row.clear_coordinator();
  job.row = std::move(row);
}

const JobTable::Job* JobTable::find(const std::string& id) const {
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<std::string> JobTable::named(const std::string& prefix) const {
  std::vector<std::string> ids;
  if (prefix.empty()) return ids;
  for (auto it = jobs_.lower_bound(prefix); it != jobs_.end() && it->first.starts_with(prefix);
       ++it) {
    ids.push_back(it->first);
  }
  return ids;
}

size_t JobTable::led_by(const std::string& coordinator) const {
  return static_cast<size_t>(std::count_if(live_.begin(), live_.end(), [&](const std::string& id) {
    return jobs_.at(id).row.coordinator() == coordinator;
  }));
}

size_t JobTable::running(const std::string& researcher) const {
  return static_cast<size_t>(std::count_if(jobs_.begin(), jobs_.end(), [&](const auto& entry) {
    return entry.second.row.researcher() == researcher;
  }));
}

const JobTable::Job* JobTable::current(const pb::JobKey& key, const std::string& from) {
  const auto found = jobs_.find(key.job());
  if (found == jobs_.end() || !same_key(key_of(found->second.row), key)) return nullptr;
  if (found->second.row.coordinator() != from) return nullptr;
  found->second.tenure.note_heard();
  return &found->second;
}

bool JobTable::note_progress(const std::string& id, const pb::JobProgress& progress) {
  pb::JobRow& row = jobs_.at(id).row;
  const bool changed = row.settled_items() != progress.settled() ||
                       row.total_items() != progress.total() || row.reason() != progress.reason();
  row.set_settled_items(progress.settled());
  row.set_total_items(progress.total());
  row.set_reason(progress.reason());
  return changed;
}

std::string JobTable::lose_coordinator(Instant now, const std::string& id,
                                       const std::string& instance) {
  Job& job = jobs_.at(id);
  std::string machine = job.row.coordinator();
  job.row.clear_coordinator();
  job.tenure.lose(now, machine, instance, job.row.settled_items());
  return machine;
}

void JobTable::write(JobChange change, Effects& effects) {
  Job& job = jobs_[change.row.job()];
  MUSTER_CHECK(!job.is_writing);
  if (job.row.run() == 0) {
    job.row.set_job(change.row.job());
    job.row.set_researcher(change.row.researcher());
  }
  job.is_writing = true;
  pending_.write(std::move(change), effects);
}

std::optional<JobTable::Settled> JobTable::settle(Instant now, const Stored& stored) {
  auto known = pending_.settle(now, stored);
  if (!known) return std::nullopt;
  Settled settled{.outcome = known->outcome};
  if (known->outcome == Outcome::kUnknown) {
    MUSTER_PROBE("a row is written again because its outcome is unknown");
    return settled;
  }
  settled.change = std::move(*known->row);
  Job& job = jobs_.at(settled.change.row.job());
  job.is_writing = false;
  if (known->outcome == Outcome::kDone) {
    commit(now, job, settled.change.row, settled);
  } else {
    fail(now, job, stored.why, settled);
  }
  return settled;
}

void JobTable::fail(Instant now, Job& job, const std::string& why, Settled& settled) {
  job.tenure.put_off(now);
  const std::string words = "the server's database cannot be written: " + why;
  settled.is_news = std::exchange(job.cannot_write, words) != words && job.row.run() > 0;
  if (job.row.run() == 0) jobs_.erase(settled.change.row.job());
}

// What was heard while the row was written is not in it.
void JobTable::commit(Instant now, Job& job, const pb::JobRow& row, Settled& settled) {
  settled.is_new_run = job.row.run() != row.run();
  settled.is_reassigned = !settled.is_new_run && job.row.epoch() != row.epoch();
  settled.row = row;
  if (is_over(row.state())) {
    live_.erase(row.job());
    jobs_.erase(row.job());
    return;
  }
  job.cannot_write.clear();
  const pb::JobRow before = std::exchange(job.row, row);
  live_.insert(row.job());
  if (settled.is_reassigned) {
    job.tenure.begin(now, row.settled_items());
  } else if (!settled.is_new_run) {
    // Not even when it is there again: a new process knows nothing of the job.
    if (before.coordinator().empty()) job.row.clear_coordinator();
    job.row.set_settled_items(before.settled_items());
    job.row.set_total_items(std::max(before.total_items(), row.total_items()));
  }
  settled.row = job.row;
}

void JobTable::check() const {
  std::set<std::string> live;
  size_t writing = 0;
  for (const auto& entry : jobs_) {
    const std::string& id = entry.first;
    const Job& job = entry.second;
    const auto is_of_it = [&](const JobChange& change) { return change.row.job() == id; };
    MUSTER_CHECK(job.row.job() == id);
    MUSTER_CHECK(job.row.run() > 0 || job.is_writing);
    MUSTER_CHECK(!is_over(job.row.state()));
    if (job.row.run() > 0) live.insert(id);
    MUSTER_CHECK(job.is_writing == pending_.holds(is_of_it));
    writing += job.is_writing ? 1 : 0;
  }
  MUSTER_CHECK(live == live_);
  MUSTER_CHECK(writing == pending_.size());
}

}  // namespace muster::roles::server
