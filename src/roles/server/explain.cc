#include "roles/server/explain.h"

#include <set>

#include "roles/server/found_jobs.h"
#include "roles/server/leaving.h"
#include "roles/server/lending.h"
#include "wire/failure.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

std::string items_of(const pb::JobRow& row) {
  return std::to_string(row.settled_items()) + " of " + std::to_string(row.total_items()) +
         " items settled";
}

std::string explain_running(const Situation& pool, const JobTable::Job& job) {
  const pb::JobRow& row = job.row;
  if (row.run() == 0) return "waits for the database: it is accepted when its row is there";
  if (!job.cannot_write.empty()) return "waits: " + job.cannot_write;
  if (row.coordinator().empty()) return "waits for a coordinator: none is connected";
  if (!row.reason().empty()) return "waits: " + row.reason();
  return "running: " + items_of(row) + ", " + std::to_string(pool.loans.lent(row.job()).size()) +
         " machines lent";
}

std::string explain_over(const pb::JobRow& row) {
  if (row.state() == pb::JOB_STATE_DONE) return "done: " + items_of(row);
  return row.state() == pb::JOB_STATE_FAILED ? "failed: " + row.reason() : "cancelled";
}

// Why a machine that may compute has no work. The first job tells it.
std::string explain_idle(const Situation& pool, const std::string& machine) {
  if (pool.jobs.live().empty()) return "; no job is running";
  const std::string& id = *pool.jobs.live().begin();
  const std::string job = "; job " + short_id(id);
  if (pool.jobs.at(id).row.coordinator().empty()) return job + " has no coordinator";
  if (pool.loans.has_released(id, machine)) {
    return job +
           " has no use for it now: it has voted, or failed, on all that is left, or cannot serve";
  }
  if (pool.view.contains(machine)) return "; storage nodes are lent last";
  return job + " wants no more machines";
}

std::string explain_node(const Situation& pool, const std::string& machine,
                         const Nodes::Node& node) {
  std::string state = state_of(pool, machine, node);
  if (!node.store_problem.empty()) return state + "; cannot store: " + node.store_problem;
  state += pool.standings.explain(machine);
  const bool is_busy = !pool.loans.job_of(machine).empty();
  if (pool.standings.is_quarantined(machine) || is_busy) return state;
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return state;
  if (!may_compute(pool, machine, node)) return state + "; it never computes (--role storage)";
  if (is_leaving(pool.nodes, pool.standings, machine)) return state + "; it is given nothing new";
  if (!pool.loans.is_known(machine)) return state + "; it has not said yet what it works for";
  return state + explain_idle(pool, machine);
}

void explain_machine(const Situation& pool, const std::string& machine, pb::WhyReply& reply) {
  reply.set_what(machine);
  const Nodes::Node* node = pool.nodes.find(machine);
  std::string now = node == nullptr ? "not connected" : explain_node(pool, machine, *node);
  if (const Status may = pool.standings.may_be_here(machine); !may)
    now += "; " + may.error().message;
  reply.set_now(now + pool.standings.explain_refusals(machine));
}

pb::WhyReply failure(Code code, const std::string& why) {
  pb::WhyReply reply;
  *reply.mutable_failure() = to_failure({code, why});
  return reply;
}

std::string cannot_read(const Error& error) {
  return "the database cannot be read: " + error.message;
}

pb::WhyReply nothing_named(const std::string& what, const Result<FoundJobs>& found) {
  if (!found) return failure(found.error().code, cannot_read(found.error()));
  return failure(Code::kNotFound, "no job and no machine is called '" + what + "'");
}

}  // namespace

std::string state_of(const Situation& pool, const std::string& machine, const Nodes::Node& node) {
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return "coordinator";
  const std::string stores = pool.view.describe(machine);
  const std::string& job = pool.loans.job_of(machine);
  std::string works;
  if (!job.empty()) works = "lent to " + short_id(job);
  if (pool.standings.is_quarantined(machine)) works = "quarantined";
  if (works.empty() && stores.empty()) works = "idle";
  const std::string both = stores + (works.empty() || stores.empty() ? "" : ", ") + works;
  return both + (is_leaving(pool.nodes, pool.standings, machine) ? ", leaving" : "");
}

std::set<std::string> machines_named(const Situation& pool, const std::string& prefix) {
  std::set<std::string> machines;
  for (std::string& machine : pool.standings.named(prefix)) machines.insert(std::move(machine));
  for (const auto& [machine, node] : pool.nodes.all()) {
    if (!prefix.empty() && machine.starts_with(prefix)) machines.insert(machine);
  }
  return machines;
}

std::optional<FindJobs> search_for(const Situation& pool, const std::string& what) {
  if (what.empty() || pool.jobs.find(what) != nullptr) return std::nullopt;
  FindJobs search{.named = what};
  const auto machines = machines_named(pool, what);
  if (machines.size() == 1) search.machine = *machines.begin();
  return search;
}

pb::WhyReply explain(const Situation& pool, const Reasons& reasons, const std::string& what,
                     const Result<FoundJobs>& found) {
  const FoundJobs before = found.value_or(FoundJobs());
  const auto jobs = jobs_named(pool.jobs, before, what);
  const auto machines = machines_named(pool, what);
  if (jobs.size() + machines.size() > 1) {
    return failure(Code::kInvalidArgument, "several jobs or machines begin so; say more");
  }
  pb::WhyReply reply;
  if (machines.size() == 1) {
    explain_machine(pool, *machines.begin(), reply);
    if (!found) reply.set_now(reply.now() + "; " + cannot_read(found.error()));
    reasons.list_machine(*machines.begin(), before.reasons_of_machine, reply);
    return reply;
  }
  if (jobs.empty()) return nothing_named(what, found);
  reply.set_what(*jobs.begin());
  if (const JobTable::Job* job = pool.jobs.find(reply.what())) {
    reply.set_now(explain_running(pool, *job));
    if (!found) reply.set_now(reply.now() + "; " + cannot_read(found.error()));
    reasons.list_job(reply.what(), reply);
    return reply;
  }
  reply.set_now(explain_over(*row_of(before, reply.what())));
  for (const pb::Reason& reason : before.reasons) *reply.add_reasons() = reason;
  return reply;
}

}  // namespace muster::roles::server
