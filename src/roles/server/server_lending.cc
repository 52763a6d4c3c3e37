// Lending: which machine works for which job.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostQuarantined = 8192;  // Named in one message.
constexpr int kMostOwners = 64;            // The same: more are as good as these.

}  // namespace

bool Server::may_compute(const std::string& machine, const Node& node) const {
  if (standings_.is_quarantined(machine)) return false;
  return node.hello.role_flag() == pb::ROLE_FLAG_AUTO ||
         node.hello.role_flag() == pb::ROLE_FLAG_COMPUTE;
}

// Whether the job could use this machine, if it were free.
bool Server::may_take(const pb::JobRow& row, const std::string& machine, const Node& node) const {
  return may_compute(machine, node) && loans_.is_known(machine) &&
         !loans_.has_released(row.job(), machine);
}

// Machines that could be lent to this job now, in the order they joined. Storage nodes come last,
// and only while fewer other machines can compute than the job wants votes.
std::vector<std::string> Server::free_machines(Instant now, const pb::JobRow& row) const {
  std::vector<std::pair<uint64_t, std::string>> free, storing;
  size_t others = 0;
  for (const auto& [machine, node] : nodes_.all()) {
    if (!may_take(row, machine, node)) continue;
    others += view_.contains(machine) ? 0 : 1;
    if (!loans_.job_of(machine).empty() || machine == view_.retiring()) continue;
    (view_.contains(machine) ? storing : free).emplace_back(node.order, machine);
  }
  std::sort(free.begin(), free.end());
  std::sort(storing.begin(), storing.end());
  if (others < row.request().redundancy() && !in_grace(now))
    free.insert(free.end(), storing.begin(), storing.end());
  std::vector<std::string> names;
  for (auto& [order, machine] : free) names.push_back(std::move(machine));
  return names;
}

// The coordinator says what it can use; what it cannot is free for other jobs.
void Server::on_want(Instant now, const std::string& from, const pb::WantWorkers& want,
                     Effects& effects) {
  const Job* job = jobs_.current(want.key(), from);
  if (job == nullptr || is_over(job->row.state())) return;
  for (const std::string& machine : loans_.want(job->row.job(), want)) {
    MUSTER_PROBE("a job gives a machine back before it is over");
    nodes_.mark_stale(machine);
  }
  if (loans_.is_due(now, job->row.job())) send_lend(now, job->row, effects);
}

// Most of what is heard says only that somebody lives; what a coordinator wants says itself whether
// it is anything new.
bool Server::may_change_lending(Instant now, const Event& event) {
  if (std::exchange(in_grace_, in_grace(now)) != in_grace_) return true;
  const auto* received = std::get_if<Received>(&event);
  if (received == nullptr) return !std::holds_alternative<Tick>(event);
  const auto body = received->envelope.body_case();
  return body != pb::Envelope::kHeartbeat && body != pb::Envelope::kPoolStateSeen &&
         body != pb::Envelope::kJobProgress && body != pb::Envelope::kWantWorkers;
}

// One machine at a time to the job that has the fewest, while any wants more.
void Server::lend_machines(Instant now, Effects& effects) {
  if (!loans_.take_changed()) return;
  std::map<std::string, std::deque<std::string>> free;  // By job that wants some.
  for (const std::string& id : jobs_.live()) {
    const pb::JobRow& row = jobs_.at(id).row;
    if (row.coordinator().empty() || loans_.wants(id) <= loans_.lent(id).size()) continue;
    auto machines = free_machines(now, row);
    free[id] = {machines.begin(), machines.end()};
  }
  std::set<std::string> changed;
  while (true) {
    std::string neediest;
    for (auto& [id, machines] : free) {
      while (!machines.empty() && !loans_.job_of(machines.front()).empty()) machines.pop_front();
      const size_t lent = loans_.lent(id).size();
      if (machines.empty() || loans_.wants(id) <= lent) continue;
      if (neediest.empty() || lent < loans_.lent(neediest).size()) neediest = id;
    }
    if (neediest.empty()) break;
    const std::string machine = free.at(neediest).front();
    loans_.lend(machine, neediest);
    changed.insert(neediest);
    effects.note("machine " + short_id(machine) + " is lent to job " + short_id(neediest));
    nodes_.mark_stale(machine);
  }
  for (const std::string& id : changed) send_lend(now, jobs_.at(id).row, effects);
}

void Server::send_lend(Instant now, const pb::JobRow& row, Effects& effects) {
  if (row.coordinator().empty()) return;
  pb::Envelope lend = envelope_to(address(pb::ROLE_COORDINATOR, row.coordinator()));
  *lend.mutable_lend()->mutable_key() = key_of(row);
  const auto& lent = loans_.lent(row.job());
  for (const std::string& machine : lent) {
    auto* loan = lend.mutable_lend()->add_loans();
    loan->set_machine(machine);
    loan->set_owner(owner_of(machine, nodes_.find(machine)->hello.owner()));
    loan->set_agreed(standings_.agreed(machine));
  }
  for (const std::string& machine : standings_.quarantined(kMostQuarantined)) {
    lend.mutable_lend()->add_quarantined(machine);
  }
  uint32_t busy = 0;
  std::set<std::string> owners, others;
  for (const auto& [machine, node] : nodes_.all()) {
    const std::string& working_for = loans_.job_of(machine);
    const bool elsewhere = !working_for.empty() && working_for != row.job();
    const std::string& owner = owner_of(machine, node.hello.owner());
    busy += elsewhere && may_take(row, machine, node) ? 1 : 0;
    if (may_compute(machine, node)) owners.insert(owner);
    if (!lent.contains(machine) && may_take(row, machine, node)) others.insert(owner);
  }
  for (const std::string& owner : others) {
    if (lend.lend().other_owners_size() < kMostOwners) lend.mutable_lend()->add_other_owners(owner);
  }
  lend.mutable_lend()->set_many_owners(owners.size() > 1);
  lend.mutable_lend()->set_busy(busy);
  if (lent.contains(view_.retiring())) lend.mutable_lend()->set_retiring(view_.retiring());
  lend.mutable_lend()->set_revision(nodes_.next_revision());
  effects.send.push_back({std::move(lend)});
  loans_.note_told(now, row.job());
}

}  // namespace muster::roles::server
