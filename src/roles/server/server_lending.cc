// Lending: which machine works for which job.
#include "roles/server/lending.h"

#include <set>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {

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

void Server::lend_machines(Instant now, Effects& effects) {
  if (!loans_.take_changed()) return;
  std::set<std::string> changed;
  for (const auto& [machine, job] : next_loans(situation(), !in_grace(now))) {
    loans_.lend(machine, job);
    changed.insert(job);
    effects.note("machine " + short_id(machine) + " is lent to job " + short_id(job));
    nodes_.mark_stale(machine);
  }
  for (const std::string& id : changed) send_lend(now, jobs_.at(id).row, effects);
}

void Server::send_lend(Instant now, const pb::JobRow& job, Effects& effects) {
  if (job.coordinator().empty()) return;
  pb::Envelope envelope = envelope_to(address(pb::ROLE_COORDINATOR, job.coordinator()));
  *envelope.mutable_lend() = lend_message(situation(), job);
  envelope.mutable_lend()->set_revision(nodes_.next_revision());
  effects.send.push_back({std::move(envelope)});
  loans_.note_told(now, job.job());
}

}  // namespace muster::roles::server
