#pragma once

#include <string>
#include <vector>

#include "roles/server/job_row.h"
#include "roles/server/situation.h"
#include "wire/job_state.h"

namespace muster::roles::server {

// For tests of what reads a situation: a pool in which machines may store under the store id "s",
// and jobs are committed as soon as they are written.
struct PoolForTest {
  static constexpr Instant kStart{seconds(1000)};

  explicit PoolForTest(const std::vector<std::string>& stores = {})
      : view(members(stores), 2, kStart, {nodes, loans, standings}, ids) {}

  static pb::View members(const std::vector<std::string>& stores) {
    pb::View view;
    view.set_number(1);
    for (const std::string& machine : stores) {
      view.add_members()->set_machine(machine);
      view.mutable_members()->rbegin()->set_store_id("s");
    }
    return view;
  }
  void join(const std::string& machine, pb::RoleFlag flag = pb::ROLE_FLAG_AUTO,
            const std::string& owner = "") {
    pb::Hello hello;
    hello.set_role_flag(flag);
    hello.set_owner(owner);
    hello.set_store_id("s");
    nodes.join(kStart, machine, hello);
    loans.join(machine, true);
  }
  // A job of the coordinator "coord", as `change` has it. One that is over is found in the
  // database.
  template <typename Change>
  void commit(const std::string& job, Change change) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(1);
    row.set_state(pb::JOB_STATE_RUNNING);
    row.set_coordinator("coord");
    row.mutable_request()->set_redundancy(2);
    change(row);
    jobs.write({row, {}, {}, {}}, effects);
    (void)jobs.settle(kStart, {effects.commits.back().id, Outcome::kDone, ""});
    if (!is_over(row.state())) return;
    found.rows.push_back(row);
    if (const auto run = kept_run(row)) kept.add(*run);
  }
  void commit(const std::string& job) {
    commit(job, [](pb::JobRow&) {});
  }
  void want(const std::string& job, uint32_t count, const std::vector<std::string>& released = {}) {
    pb::WantWorkers want;
    want.set_count(count);
    for (const std::string& machine : released) want.add_released(machine);
    loans.want(job, want);
  }
  void quarantine(const std::string& machine) {
    pb::MachineRow row;
    row.set_machine(machine);
    row.set_quarantined(true);
    row.set_strikes(3);
    standings.restore(row);
  }
  [[nodiscard]] Situation situation() const { return {nodes, loans, standings, view, jobs, kept}; }

  WriteIds ids;
  Nodes nodes{1};
  Loans loans;
  Standings standings{3, ids};
  StorageView view;
  JobTable jobs{ids};
  KeptRuns kept{seconds(100)};
  FoundJobs found;
  Effects effects;
};

}  // namespace muster::roles::server
