// Lending: which machine works for which job.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {

bool Server::may_compute(const std::string& machine, const Node& node) const {
  if (is_quarantined(machine)) return false;
  return node.hello.role_flag() == pb::ROLE_FLAG_AUTO ||
         node.hello.role_flag() == pb::ROLE_FLAG_COMPUTE;
}

// Whether the job could use this machine, if it were free.
bool Server::may_take(const Job& job, const std::string& machine, const Node& node) const {
  return may_compute(machine, node) && node.lent_known && !job.spare.contains(machine);
}

// Machines that could be lent to this job now, in the order they joined. Storage nodes come last,
// and only while fewer other machines can compute than the job wants votes.
std::vector<std::string> Server::free_machines(Instant now, const Job& job) const {
  std::vector<std::pair<uint64_t, std::string>> free, storing;
  size_t others = 0;
  for (const auto& [machine, node] : nodes_) {
    if (!may_take(job, machine, node)) continue;
    others += in_view(machine) ? 0 : 1;
    if (!node.lent_to.empty() || machine == retiring_) continue;
    (in_view(machine) ? storing : free).emplace_back(node.order, machine);
  }
  std::sort(free.begin(), free.end());
  std::sort(storing.begin(), storing.end());
  if (others < job.row.request().redundancy() && !in_grace(now))
    free.insert(free.end(), storing.begin(), storing.end());
  std::vector<std::string> names;
  for (auto& [order, machine] : free) names.push_back(std::move(machine));
  return names;
}

// The coordinator says what it can use; what it cannot is free for other jobs.
void Server::on_want(Instant now, const pb::WantWorkers& want, Effects& effects) {
  Job* job = current(want.key());
  if (job == nullptr || is_over(job->row.state())) return;
  job->wants = want.count();
  job->spare = {want.spare().begin(), want.spare().end()};
  for (const std::string& machine : job->spare) {
    if (job->lent.erase(machine) == 0) continue;
    MUSTER_PROBE("a job gives a machine back before it is over");
    nodes_.at(machine).lent_to.clear();
    tell(machine);
  }
  if (job->lend_due <= now) send_lend(now, *job, effects);
}

// One machine at a time to the job that has the fewest, while any wants more.
void Server::lend_machines(Instant now, Effects& effects) {
  std::set<std::string> changed;
  while (true) {
    Job* neediest = nullptr;
    for (auto& [id, job] : jobs_) {
      const bool wants = !is_over(job.row.state()) && !job.row.coordinator().empty() &&
                         job.wants > job.lent.size();
      if (!wants || (neediest != nullptr && job.lent.size() >= neediest->lent.size())) continue;
      if (!free_machines(now, job).empty()) neediest = &job;
    }
    if (neediest == nullptr) break;
    const std::string machine = free_machines(now, *neediest).front();
    nodes_.at(machine).lent_to = neediest->row.job();
    neediest->lent.insert(machine);
    changed.insert(neediest->row.job());
    effects.note("machine " + short_id(machine) + " is lent to job " +
                 short_id(neediest->row.job()));
    tell(machine);
  }
  for (const std::string& id : changed) send_lend(now, jobs_.at(id), effects);
}

void Server::send_lend(Instant now, Job& job, Effects& effects) {
  if (job.row.coordinator().empty()) return;
  pb::Envelope lend = envelope_to(address(pb::ROLE_COORDINATOR, job.row.coordinator()));
  *lend.mutable_lend()->mutable_key() = key_of(job.row);
  for (const std::string& machine : job.lent) {
    auto* loan = lend.mutable_lend()->add_loans();
    loan->set_machine(machine);
    auto standing = standings_.find(machine);
    if (standing != standings_.end()) loan->set_agreed(standing->second.row.agreed());
  }
  for (const auto& [machine, standing] : standings_) {
    if (standing.row.quarantined()) lend.mutable_lend()->add_quarantined(machine);
  }
  uint32_t busy = 0;
  std::set<std::string> owners;
  for (const auto& [machine, node] : nodes_) {
    const bool elsewhere = !node.lent_to.empty() && node.lent_to != job.row.job();
    busy += elsewhere && may_take(job, machine, node) ? 1 : 0;
    if (may_compute(machine, node)) owners.insert(owner_of(machine, node.hello.owner()));
  }
  lend.mutable_lend()->set_many_owners(owners.size() > 1);
  lend.mutable_lend()->set_busy(busy);
  if (job.lent.contains(retiring_)) lend.mutable_lend()->set_retiring(retiring_);
  lend.mutable_lend()->set_revision(++revision_);
  effects.send.push_back({std::move(lend)});
  job.lend_due = now + kRepeatEvery;
}

void Server::release(Job& job) {
  for (const std::string& machine : job.lent) {
    auto node = nodes_.find(machine);
    if (node == nodes_.end()) continue;
    node->second.lent_to.clear();
    tell(machine);
  }
  job.lent.clear();
  job.spare.clear();
  job.wants = 0;
}

}  // namespace muster::roles::server
