// Why things are as they are: what happened is recorded, and how things stand is put into words.
#include <algorithm>

#include "roles/message.h"
#include "roles/server/lending.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

std::string items_of(const pb::JobRow& row) {
  return std::to_string(row.settled_items()) + " of " + std::to_string(row.total_items()) +
         " items settled";
}

}  // namespace

void Server::note_event(Instant now, const pb::JobRow& run, const std::string& machine,
                        const std::string& text, Effects& effects) {
  reasons_.note_event(run, machine, text, unix_ms(now), effects);
}

void Server::on_why(const std::string& client, const pb::Why& why, Effects& effects) const {
  pb::Envelope envelope = envelope_to(address(pb::ROLE_CLIENT, client));
  pb::WhyReply& reply = *envelope.mutable_why_reply();
  const auto jobs = jobs_.named(why.what());
  std::vector<std::string> machines;
  const auto begins = [&](const std::string& id) {
    return !why.what().empty() && id.starts_with(why.what());
  };
  std::set<std::string> known;
  for (const auto& [machine, node] : nodes_.all()) known.insert(machine);
  for (const std::string& machine : standings_.named(why.what())) known.insert(machine);
  std::copy_if(known.begin(), known.end(), std::back_inserter(machines), begins);
  if (jobs.size() + machines.size() > 1) {
    *reply.mutable_failure() =
        to_failure({Code::kInvalidArgument, "several jobs or machines begin so; say more"});
  } else if (jobs.size() == 1) {
    explain_job(jobs_.at(jobs.front()), reply);
  } else if (machines.size() == 1) {
    explain_machine(machines.front(), reply);
  } else {
    *reply.mutable_failure() =
        to_failure({Code::kNotFound, "no job and no machine is called '" + why.what() + "'"});
  }
  effects.send.push_back({std::move(envelope)});
}

void Server::explain_job(const Job& job, pb::WhyReply& reply) const {
  const pb::JobRow& row = job.row;
  reply.set_what(row.job());
  if (row.state() == pb::JOB_STATE_DONE) reply.set_now("done: " + items_of(row));
  if (row.state() == pb::JOB_STATE_FAILED) reply.set_now("failed: " + row.reason());
  if (row.state() == pb::JOB_STATE_CANCELLED) reply.set_now("cancelled");
  if (row.state() == pb::JOB_STATE_RUNNING && !job.cannot_write.empty()) {
    reply.set_now("waits: " + job.cannot_write);
  } else if (row.state() == pb::JOB_STATE_RUNNING) {
    reply.set_now(row.coordinator().empty() ? "waits for a coordinator: none is connected"
                  : row.reason().empty()
                      ? "running: " + items_of(row) + ", " +
                            std::to_string(loans_.lent(row.job()).size()) + " machines lent"
                      : "waits: " + row.reason());
  }
  reasons_.list_job(row.job(), reply);
}

// Why a machine has no work, when it has none.
std::string Server::describe(const std::string& machine, const Node& node) const {
  std::string state = state_of(machine, node);
  if (!node.store_problem.empty()) return state + "; cannot store: " + node.store_problem;
  state += standings_.explain(machine);
  if (standings_.is_quarantined(machine)) return state;
  if (!loans_.job_of(machine).empty() || node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR)
    return state;
  if (!may_compute(situation(), machine, node))
    return state + "; it never computes (--role storage)";
  if (!loans_.is_known(machine)) return state + "; it has not said yet what it works for";
  for (const std::string& id : jobs_.live()) {
    const Job& job = jobs_.at(id);
    if (job.row.coordinator().empty())
      return state + "; job " + short_id(id) + " has no coordinator";
    if (loans_.has_released(id, machine)) {
      return state + "; job " + short_id(id) +
             " has no use for it now: it has voted, or failed, on all that is left, or cannot "
             "serve";
    }
    if (view_.contains(machine)) return state + "; storage nodes are lent last";
    return state + "; job " + short_id(id) + " wants no more machines";
  }
  return state + "; no job is running";
}

void Server::explain_machine(const std::string& machine, pb::WhyReply& reply) const {
  reply.set_what(machine);
  const Node* node = nodes_.find(machine);
  reply.set_now((node == nullptr ? "not connected" : describe(machine, *node)) +
                standings_.explain_refusals(machine));
  reasons_.list_machine(machine, reply);
}

}  // namespace muster::roles::server
