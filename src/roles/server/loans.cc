#include "roles/server/loans.h"

#include "base/check.h"

namespace muster::roles::server {

void Loans::join(const std::string& machine, bool is_known) { machines_[machine] = {is_known, ""}; }

std::string Loans::leave(Instant now, const std::string& machine) {
  std::string job = take_back(machine);
  machines_.erase(machine);
  if (job.empty()) return job;
  auto& before = jobs_[job].lent_before;
  std::erase_if(before, [now](const auto& entry) { return now - entry.second >= kLentFor; });
  before[machine] = now;
  return job;
}

bool Loans::is_known(const std::string& machine) const {
  const auto found = machines_.find(machine);
  return found != machines_.end() && found->second.is_known;
}

void Loans::set_known(const std::string& machine) {
  const auto found = machines_.find(machine);
  MUSTER_CHECK(found != machines_.end());
  found->second.is_known = true;
}

const std::string& Loans::job_of(const std::string& machine) const {
  static const std::string none;
  const auto found = machines_.find(machine);
  return found == machines_.end() ? none : found->second.job;
}

bool Loans::may_go_on(Instant now, const std::string& machine, const std::string& job) const {
  const auto& before = this->job(job).lent_before;
  const auto found = before.find(machine);
  return found != before.end() && now - found->second < kLentFor;
}

void Loans::lend(const std::string& machine, const std::string& job) {
  Machine& lent = machines_.at(machine);
  MUSTER_CHECK(lent.is_known && lent.job.empty());
  MUSTER_CHECK(!has_released(job, machine));
  lent.job = job;
  jobs_[job].lent.insert(machine);
}

std::string Loans::take_back(const std::string& machine) {
  const auto found = machines_.find(machine);
  if (found == machines_.end()) return "";
  std::string job = std::exchange(found->second.job, "");
  if (!job.empty()) jobs_.at(job).lent.erase(machine);
  return job;
}

std::vector<std::string> Loans::want(const std::string& job, const pb::WantWorkers& want) {
  Job& wish = jobs_[job];
  std::set<std::string> released(want.released().begin(), want.released().end());
  changed_ |= wish.wants != want.count() || wish.released != released;
  wish.wants = want.count();
  wish.released = std::move(released);
  std::vector<std::string> given_back;
  for (const std::string& machine : wish.released) {
    if (!wish.lent.contains(machine)) continue;
    take_back(machine);
    given_back.push_back(machine);
  }
  return given_back;
}

bool Loans::recall(const std::string& job, const std::set<std::string>& machines) {
  const auto found = jobs_.find(job);
  if (found == jobs_.end() || found->second.recalled == machines) return false;
  found->second.recalled = machines;
  return true;
}

const std::set<std::string>& Loans::recalled(const std::string& job) const {
  return this->job(job).recalled;
}

void Loans::begin_run(const std::string& job) {
  jobs_[job].released.clear();
  jobs_[job].lent_before.clear();
}

std::vector<std::string> Loans::end_run(const std::string& job) {
  const std::set<std::string> lent = this->lent(job);
  std::vector<std::string> machines(lent.begin(), lent.end());
  for (const std::string& machine : machines) take_back(machine);
  jobs_.erase(job);
  return machines;
}

const Loans::Job& Loans::job(const std::string& id) const {
  static const Job none;
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? none : found->second;
}

const std::set<std::string>& Loans::lent(const std::string& job) const {
  return this->job(job).lent;
}

uint32_t Loans::wants(const std::string& job) const { return this->job(job).wants; }

bool Loans::has_released(const std::string& job, const std::string& machine) const {
  return this->job(job).released.contains(machine);
}

bool Loans::is_due(Instant now, const std::string& job) const { return this->job(job).due <= now; }

size_t Loans::size() const {
  size_t count = 0;
  for (const auto& [id, job] : jobs_) count += job.lent.size();
  return count;
}

void Loans::check() const {
  size_t lent = 0;
  for (const auto& [machine, state] : machines_) {
    if (state.job.empty()) continue;
    ++lent;
    MUSTER_CHECK(state.is_known);
    MUSTER_CHECK(jobs_.at(state.job).lent.contains(machine));
  }
  for (const auto& [id, job] : jobs_) {
    for (const std::string& machine : job.lent) {
      MUSTER_CHECK(machines_.at(machine).job == id);
      MUSTER_CHECK(!job.released.contains(machine));
    }
  }
  MUSTER_CHECK(lent == size());
}

}  // namespace muster::roles::server
