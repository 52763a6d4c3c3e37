#pragma once

#include <cstdint>
#include <string>

#include "roles/role.h"
#include "roles/server/coordinators.h"
#include "roles/server/job_row.h"
#include "roles/server/job_table.h"
#include "roles/server/kept_runs.h"
#include "roles/server/limits.h"
#include "roles/server/loans.h"
#include "roles/server/nodes.h"
#include "roles/server/reasons.h"
#include "roles/server/searches.h"
#include "roles/server/server_state.h"
#include "roles/server/situation.h"
#include "roles/server/standings.h"
#include "roles/server/storage_view.h"
#include "roles/server/submissions.h"
#include "roles/server/tokens.h"
#include "roles/server/watchers.h"
#include "roles/server/write_ids.h"

namespace muster::roles::server {

// Knows who is in the pool and who does what: admits nodes, hears heartbeats, keeps the storage
// view at its count, accepts jobs, gives each to a coordinator, lends it workers, and commits how
// it ends. Every fact that must survive is written first (SaveView, SaveJob) and acted on when it
// is durable; what is only in memory is told again by the nodes when they reconnect.
//
// Each part keeps the promises that its own header makes; here stands what one part's news means
// for the others, and who is asked and answered. A worker on a new line says first what it holds.
//
// Believes a coordinator of the jobs it has and of no others, and of machines only what it sees
// itself. Whoever says what he may not is noted; ten times in a minute cost him his line, and he is
// lent no more until pardoned.
//
// Every step costs what the nodes and the jobs that go on ask for, not what there ever was. What is
// over is in the database alone: a call that is about it waits for what is found there (Searches).
//
// Invariants, over several parts: a machine that is quarantined is lent to no job; a job that is
// over has no machine, and nobody watches it.
class Server final : public Role {
 public:
  Server(ServerOptions options, ServerState state, Instant started);

  [[nodiscard]] Effects step(Instant now, const Event& event) override;
  [[nodiscard]] size_t pending() const override;
  void measure(Gauges& gauges) const override;
  void check() const override;

 private:
  using Job = JobTable::Job;

  // server.cc: nodes and how they behave, and who hears what.
  void on_joined(Instant now, const NodeJoined& joined, Effects& effects);
  void on_left(Instant now, const std::string& machine, const std::string& why, Effects& effects);
  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_client(Instant now, const pb::Envelope& call, Effects& effects);
  void on_hang_up(const std::string& client);
  void on_join(Instant now, const pb::Envelope& call, Effects& effects);
  void on_remove(Instant now, const pb::Envelope& call, Effects& effects);
  void on_leaving(Instant now, const std::string& machine, Effects& effects);
  void begin_leaving(Instant now, const std::string& machine, Effects& effects);
  [[nodiscard]] bool holds_nothing(Instant now, const std::string& machine) const;
  void end_drains(Instant now, Effects& effects);
  void let_go(Instant now, const std::string& machine, const std::string& why, Effects& effects);
  void tell_coordinators();
  void on_revoked(Instant now, const std::string& token, Effects& effects);
  void send_away(Instant now, const std::string& machine, const std::string& why, Effects& effects);
  void search(Instant now, const pb::Envelope& call, FindJobs what, Effects& effects);
  void answer(Instant now, const pb::Envelope& call, const Result<FoundJobs>& found,
              Effects& effects);
  void on_stored(Instant now, const Stored& stored, Effects& effects);
  void on_machine_stored(Instant now, const Standings::Settled& settled, Effects& effects);
  void on_quarantine(Instant now, const std::string& machine, Effects& effects);
  void on_holding(Instant now, const std::string& machine, const pb::Holding& holding,
                  Effects& effects);
  void on_store_state(Instant now, const std::string& machine, const pb::StoreState& state,
                      Effects& effects);
  void on_misspoken(Instant now, const Misspoken& said, Effects& effects);
  void on_refusals(Instant now, const std::string& from, const pb::Refusals& refusals,
                   Effects& effects);
  void banish(Instant now, const std::string& machine, const std::string& what, Effects& effects);
  void watch_nodes(Instant now, Effects& effects);
  void send_pool_state(Instant now, const std::string& machine, Nodes::Told told, Effects& effects);
  void note_event(Instant now, const pb::JobRow& run, const std::string& machine,
                  const std::string& text, Effects& effects);
  [[nodiscard]] int64_t unix_ms(Instant now) const;
  [[nodiscard]] bool in_grace(Instant now) const;
  [[nodiscard]] Situation situation() const;

  // server_jobs.cc: from a request to a committed end, and what coordinators say and hear.
  void on_submit(Instant now, const pb::Envelope& call, Effects& effects);
  void on_pinned(Instant now, const std::string& from, const pb::Pinned& pinned, Effects& effects);
  // `found`: what the database has of the job; null: it was not asked yet.
  void accept(Instant now, const pb::Envelope& call, const FoundJobs* found, Effects& effects);
  void begin_run(const pb::Envelope& call, const std::string& id, const pb::JobRow& before,
                 Effects& effects);
  void on_watch(Instant now, const pb::Envelope& call, const FoundJobs* found, Effects& effects);
  void on_cancel(Instant now, const pb::Envelope& call, const FoundJobs* found, Effects& effects);
  void on_row_stored(Instant now, const Stored& stored, Effects& effects);
  void on_row_committed(Instant now, const JobTable::Settled& settled, Effects& effects);
  void end_run(Instant now, const pb::JobRow& row, Effects& effects);
  void assign_jobs(Instant now, Effects& effects);
  void assign_to(Instant now, const Job& job, const std::string& coordinator, uint64_t epoch,
                 Effects& effects);
  [[nodiscard]] std::string next_coordinator(Instant now, const Job& job) const;
  void on_coordinator_back(const NodeJoined& joined, Effects& effects);
  void on_coordinator_lost(Instant now, const std::string& id, const std::string& instance,
                           const std::string& why, Effects& effects);
  void on_commit_frozen(Instant now, const std::string& from, const pb::CommitFrozen& commit,
                        Effects& effects);
  void on_commit_class(const std::string& from, const pb::CommitClass& commit, Effects& effects);
  void on_progress(Instant now, const std::string& from, const pb::JobProgress& progress,
                   Effects& effects);
  void on_finish(Instant now, const std::string& from, const pb::Finish& finish, Effects& effects);
  void on_report_charge(Instant now, const std::string& from, const pb::ReportCharge& report,
                        Effects& effects);
  void on_silent_store(Instant now, const std::string& from, const pb::SilentStore& silent,
                       Effects& effects);
  void on_overtaken(Instant now, const std::string& from, const pb::Overtaken& overtaken,
                    Effects& effects);
  void on_want(Instant now, const std::string& from, const pb::WantWorkers& want, Effects& effects);
  void lend_machines(Instant now, Effects& effects);
  void send_lend(Instant now, const pb::JobRow& job, Effects& effects);

  ServerOptions options_;
  Instant started_;
  Instant grace_until_;   // For nodes to come back; a new pool has none to wait for.
  bool in_grace_ = true;  // At the last step.
  WriteIds write_ids_;

  Tokens tokens_;
  Limits limits_;
  Nodes nodes_;
  Loans loans_;
  Standings standings_;
  Coordinators coordinators_;
  StorageView view_;
  JobTable jobs_;
  KeptRuns kept_;
  Searches searches_;
  Submissions submissions_;
  Watchers watchers_;
  Reasons reasons_{write_ids_};
};

}  // namespace muster::roles::server
