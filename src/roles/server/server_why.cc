// Why things are as they are: what happened is recorded, and how things stand is put into words.
#include <algorithm>

#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostReasons = 100;  // Of a job.
constexpr Duration kOften = seconds(10);

std::string items_of(const pb::JobRow& row) {
  return std::to_string(row.settled_items()) + " of " + std::to_string(row.total_items()) +
         " items settled";
}

}  // namespace

// The same once more is counted, not listed again.
void Server::record_reason(Instant now, Job& job, const std::string& machine,
                           const std::string& text, Effects& effects) {
  auto& reasons = job.reasons;
  const auto same = std::find_if(reasons.rbegin(), reasons.rend(), [&](const pb::Reason& reason) {
    return reason.machine() == machine;
  });
  const bool again = same != reasons.rend() && same->text() == text;
  if (!again) {
    const uint64_t number = reasons.empty() ? 1 : reasons.back().number() + 1;
    if (reasons.size() >= kMostReasons) reasons.pop_front();
    pb::Reason& reason = reasons.emplace_back();
    reason.set_job(job.row.job());
    reason.set_run(job.row.run());
    reason.set_number(number);
    reason.set_machine(machine);
    reason.set_text(text);
  }
  pb::Reason& reason = again ? *same : reasons.back();
  reason.set_times(reason.times() + 1);
  // What happens again and again is written now and then.
  const bool is_rare = unix_ms(now) - reason.at_ms() >= kOften.count() / 1000;
  const bool is_power_of_two = (reason.times() & (reason.times() - 1)) == 0;
  reason.set_at_ms(unix_ms(now));
  if (is_rare || is_power_of_two) {
    effects.persist.push_back({next_write_++, SaveReason{reason}});
  }
}

// Each is told several times; an assignment numbers its own.
void Server::on_happenings(Instant now, Job& job, const pb::JobProgress& progress,
                           Effects& effects) {
  for (const pb::Happening& happening : progress.happenings()) {
    const std::pair number{progress.key().epoch(), happening.number()};
    if (number <= job.happened) continue;
    job.happened = number;
    record_reason(now, job, happening.machine(), happening.text(), effects);
  }
}

void Server::on_why(const std::string& client, const pb::Why& why, Effects& effects) const {
  pb::Envelope envelope = envelope_to(address(pb::ROLE_CLIENT, client));
  pb::WhyReply& reply = *envelope.mutable_why_reply();
  std::vector<std::string> jobs, machines;
  const auto begins = [&](const std::string& id) {
    return !why.what().empty() && id.starts_with(why.what());
  };
  for (const auto& [id, job] : jobs_) {
    if (begins(id)) jobs.push_back(id);
  }
  std::set<std::string> known;
  for (const auto& [machine, node] : nodes_) known.insert(machine);
  for (const auto& [machine, standing] : standings_) known.insert(machine);
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
                  : row.reason().empty()    ? "running: " + items_of(row) + ", " +
                                               std::to_string(job.lent.size()) + " machines lent"
                                         : "waits: " + row.reason());
  }
  for (const pb::Reason& reason : job.reasons) *reply.add_reasons() = reason;
}

// Why a machine has no work, when it has none.
std::string Server::describe(const std::string& machine, const Node& node) const {
  std::string state = state_of(machine, node);
  if (!node.store_problem.empty()) return state + "; cannot store: " + node.store_problem;
  const auto standing = standings_.find(machine);
  if (standing != standings_.end() && standing->second.banished) {
    return state + ": it said what it may not, ten times in a minute (" + standing->second.refusal +
           "); 'muster pardon " + short_id(machine) + "' lets it in again";
  }
  if (standing != standings_.end() && standing->second.lapses > 0) {
    state += "; as a storage node it " + standing->second.lapse;
  }
  if (is_quarantined(machine)) {
    return state + ": it was outvoted " + std::to_string(standings_.at(machine).row.strikes()) +
           " times; 'muster pardon " + short_id(machine) + "' lets it in again";
  }
  if (!node.lent_to.empty() || node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return state;
  if (!may_compute(machine, node)) return state + "; it never computes (--role storage)";
  if (!node.lent_known) return state + "; it has not said yet what it works for";
  for (const std::string& id : live_) {
    const Job& job = jobs_.at(id);
    if (job.row.coordinator().empty())
      return state + "; job " + short_id(id) + " has no coordinator";
    if (job.spare.contains(machine)) {
      return state + "; job " + short_id(id) +
             " has no use for it now: it has voted, or failed, on all that is left, or cannot "
             "serve";
    }
    if (in_view(machine)) return state + "; storage nodes are lent last";
    return state + "; job " + short_id(id) + " wants no more machines";
  }
  return state + "; no job is running";
}

void Server::explain_machine(const std::string& machine, pb::WhyReply& reply) const {
  reply.set_what(machine);
  auto node = nodes_.find(machine);
  reply.set_now(node == nodes_.end() ? "not connected" : describe(machine, node->second));
  if (auto found = standings_.find(machine);
      found != standings_.end() && found->second.refused > 0) {
    reply.set_now(reply.now() + "; refused: " + std::to_string(found->second.refused) +
                  " messages, the last: " + found->second.refusal);
  }
  for (const auto& [id, job] : jobs_) {
    for (const pb::Reason& reason : job.reasons) {
      if (reason.machine() == machine) *reply.add_reasons() = reason;
    }
  }
  std::stable_sort(reply.mutable_reasons()->begin(), reply.mutable_reasons()->end(),
                   [](const pb::Reason& a, const pb::Reason& b) { return a.at_ms() < b.at_ms(); });
  const int more = reply.reasons_size() - static_cast<int>(kMostReasons);
  if (more > 0) reply.mutable_reasons()->DeleteSubrange(0, more);  // The latest ones stay.
}

}  // namespace muster::roles::server
