#include "roles/server/listings.h"

#include <algorithm>
#include <vector>

#include "roles/server/explain.h"
#include "roles/server/leaving.h"
#include "wire/role_flag.h"
#include "wire/run_key.h"

namespace muster::roles::server {
namespace {

// Counts what is added to a message, with what names it.
class Room {
 public:
  explicit Room(size_t taken = 0) : bytes_(taken) {}
  [[nodiscard]] bool take(const google::protobuf::MessageLite& message) {
    bytes_ += message.ByteSizeLong() + 4;
    return bytes_ <= kMostFound;
  }

 private:
  size_t bytes_;
};

void list_kept(const KeptRuns& kept, int64_t now_ms, pb::PoolState& state) {
  Room room(state.ByteSizeLong());
  for (pb::LiveJob& run : kept.list(now_ms)) {
    if (!room.take(run)) return;
    *state.add_kept() = std::move(run);
  }
}

pb::Machine describe(const Situation& pool, const std::string& machine, const Nodes::Node& node) {
  pb::Machine out;
  out.set_machine(machine);
  out.set_role_flag(node.hello.role_flag());
  out.set_state(state_of(pool, machine, node));
  out.set_owner(node.hello.owner());
  out.set_token(node.holder.token());
  out.set_version(node.hello.version());
  out.set_storage_address(node.hello.storage_address());
  out.set_job(pool.loans.job_of(machine));
  out.set_leaving(is_leaving(pool.nodes, pool.standings, machine));
  if (node.hello.has_hardware()) *out.mutable_hardware() = node.hello.hardware();
  if (!node.store_problem.empty()) out.set_reason("cannot store: " + node.store_problem);
  pool.standings.describe(out);
  return out;
}

const char* state_in_short(const Situation& pool, const std::string& machine,
                           const Nodes::Node& node) {
  if (node.hello.role_flag() == pb::ROLE_FLAG_COORDINATOR) return "coordinator";
  if (pool.standings.is_quarantined(machine)) return "quarantined";
  if (!pool.loans.job_of(machine).empty()) return "lent";
  return pool.view.contains(machine) ? "storage" : "idle";
}

}  // namespace

pb::PoolState pool_state(const Situation& pool, const pb::PoolRow& row, const std::string& machine,
                         int64_t now_ms) {
  pb::PoolState state;
  *state.mutable_view() = pool.view.view();
  state.set_pool(row.pool());
  for (const std::string& id : pool.jobs.live()) *state.add_live() = run_of(pool.jobs.at(id).row);
  if (pool.view.contains(machine)) list_kept(pool.kept, now_ms, state);
  if (pool.nodes.coordinators().contains(machine)) {
    *state.mutable_coordinators() = row.coordinators();
  }
  state.set_lent_known(pool.loans.is_known(machine));
  const Nodes::Node* node = pool.nodes.find(machine);
  state.set_excluded(node != nullptr && !node->store_problem.empty());
  if (const JobTable::Job* job = pool.jobs.find(pool.loans.job_of(machine))) {
    *state.mutable_lent() = key_of(job->row);
    *state.mutable_model() = job->row.model();
    state.set_coordinator(job->row.coordinator());
  }
  return state;
}

pb::PoolStatus pool_status(const Situation& pool, bool all) {
  pb::PoolStatus out;
  *out.mutable_view() = pool.view.view();
  Room room;
  uint32_t left_out = 0;
  for (const std::string& id : pool.jobs.live()) {
    const pb::JobRow& row = pool.jobs.at(id).row;
    room.take(row) ? void(*out.add_jobs() = row) : void(++left_out);
  }
  for (const auto& [machine, node] : pool.nodes.all()) {
    pb::Machine described = describe(pool, machine, node);
    room.take(described) ? void(*out.add_machines() = std::move(described)) : void(++left_out);
  }
  for (const std::string& machine : all ? pool.standings.all() : std::vector<std::string>()) {
    if (pool.nodes.contains(machine)) continue;
    pb::Machine described;
    described.set_machine(machine);
    described.set_state("away");
    pool.standings.describe(described);
    room.take(described) ? void(*out.add_machines() = std::move(described)) : void(++left_out);
  }
  out.set_left_out(left_out);
  return out;
}

void count_all(const Situation& pool, Gauges& gauges) {
  for (const auto& [machine, node] : pool.nodes.all()) {
    const std::string role(wire::to_word(node.hello.role_flag()));
    ++gauges.machines[{role, state_in_short(pool, machine, node)}];
  }
  for (const std::string& id : pool.jobs.live()) {
    ++gauges.jobs[pool.jobs.at(id).row.coordinator().empty() ? "waiting" : "assigned"];
  }
}

pb::JobList job_list(const JobTable& jobs, const FoundJobs& found) {
  std::vector<const pb::JobRow*> rows;
  for (const std::string& id : jobs.live()) rows.push_back(&jobs.at(id).row);
  for (const pb::JobRow& row : found.rows) {
    if (!jobs.live().contains(row.job())) rows.push_back(&row);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const pb::JobRow* a, const pb::JobRow* b) {
    return a->accepted_at_ms() > b->accepted_at_ms();
  });
  pb::JobList list;
  Room room;
  for (const pb::JobRow* row : rows) {
    if (!room.take(*row)) break;
    *list.add_rows() = *row;
  }
  const uint64_t in_all = std::max<uint64_t>(found.in_all, rows.size());
  list.set_left_out(static_cast<uint32_t>(in_all) - static_cast<uint32_t>(list.rows_size()));
  return list;
}

}  // namespace muster::roles::server
