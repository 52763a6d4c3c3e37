// Lending: which machine works for which job.
#include <algorithm>

#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {

bool Server::may_compute(const Node& node) const {
  return node.hello.role_flag() == pb::ROLE_FLAG_AUTO ||
         node.hello.role_flag() == pb::ROLE_FLAG_COMPUTE;
}

// Machines that could be lent now, in the order they joined. Storage nodes come last, and only
// while fewer other machines can compute than the job wants votes.
std::vector<std::string> Server::free_machines(Instant now, size_t votes_wanted) const {
  std::vector<std::pair<uint64_t, std::string>> free, storing;
  size_t others = 0;
  for (const auto& [machine, node] : nodes_) {
    if (!may_compute(node)) continue;
    others += in_view(machine) ? 0 : 1;
    if (!node.lent_to.empty()) continue;
    (in_view(machine) ? storing : free).emplace_back(node.order, machine);
  }
  std::sort(free.begin(), free.end());
  std::sort(storing.begin(), storing.end());
  if (others < votes_wanted && !in_grace(now))
    free.insert(free.end(), storing.begin(), storing.end());
  std::vector<std::string> names;
  for (auto& [order, machine] : free) names.push_back(std::move(machine));
  return names;
}

void Server::on_want(Instant now, const pb::WantWorkers& want, Effects& effects) {
  Job* job = current(want.key());
  if (job == nullptr || is_over(job->row.state())) return;
  job->wants = want.count();
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
      if (!wants || free_machines(now, job.row.request().redundancy()).empty()) continue;
      if (neediest == nullptr || job.lent.size() < neediest->lent.size()) neediest = &job;
    }
    if (neediest == nullptr) break;
    const std::string machine = free_machines(now, neediest->row.request().redundancy()).front();
    nodes_.at(machine).lent_to = neediest->row.job();
    neediest->lent.insert(machine);
    changed.insert(neediest->row.job());
    effects.note("machine " + short_id(machine) + " is lent to job " +
                 short_id(neediest->row.job()));
    send_lent(machine, effects);
  }
  for (const std::string& id : changed) send_lend(now, jobs_.at(id), effects);
}

void Server::send_lend(Instant now, Job& job, Effects& effects) const {
  if (job.row.coordinator().empty()) return;
  pb::Envelope lend = envelope_to(address(pb::ROLE_COORDINATOR, job.row.coordinator()));
  *lend.mutable_lend()->mutable_key() = key_of(job.row);
  for (const std::string& machine : job.lent) lend.mutable_lend()->add_machines(machine);
  effects.send.push_back({std::move(lend)});
  job.lend_due = now + kRepeatEvery;
}

// Tells a worker what it is lent to now, or that it is lent to nothing.
void Server::send_lent(const std::string& machine, Effects& effects) const {
  const Node& node = nodes_.at(machine);
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return;
  pb::Envelope lent = envelope_to(address(pb::ROLE_WORKER, machine));
  lent.mutable_lent();
  if (auto job = jobs_.find(node.lent_to); job != jobs_.end()) {
    *lent.mutable_lent()->mutable_key() = key_of(job->second.row);
    lent.mutable_lent()->set_coordinator(job->second.row.coordinator());
  }
  effects.send.push_back({std::move(lent)});
}

void Server::release(Job& job, Effects& effects) {
  for (const std::string& machine : job.lent) {
    auto node = nodes_.find(machine);
    if (node == nodes_.end()) continue;
    node->second.lent_to.clear();
    send_lent(machine, effects);
  }
  job.lent.clear();
  job.wants = 0;
}

}  // namespace muster::roles::server
