#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "roles/outbox.h"
#include "roles/pool_state_intake.h"
#include "roles/role.h"
#include "wire/keys.h"
#include "wire/lease_id.h"

namespace muster::roles::worker {

// Listens to the coordinator that the server names and loads the model that the server names. What
// it signs for it has hashed itself, and shows the terms that asked for it.
//
// Computes what it is lent for: has the model ready, scores the items of its leases one after the
// other, signs the answers and puts them into the storage view.
//
// States:
//   idle        lent to no job.
//   preparing   a Prepare is answered by LoadModel; Ready or Unable ends it. Prepare is repeated by
//               the coordinator and answered each time.
//   working     Ready was said: leases are worked through in the order they came.
// A lease ends here when all its answers are acknowledged by the view, by LeaseFailed, Withdraw,
// or by being lent to another run. It outlives its coordinator: under a new epoch of the same run
// work goes on, and Ready tells the new coordinator what is held. On a new line the server is told
// what this machine works for (Holding) before it says anything else about that. Answers that were
// computed are stored even when the coordinator is gone; with no view they wait, and beyond
// kMaxWaitingAnswers no more is computed.
class Worker final : public Role {
 public:
  // `owner` is whose machine this is, empty when nobody said; `keys` outlives the object.
  explicit Worker(const Keys& keys);

  [[nodiscard]] Effects step(Instant now, const Event& event) override;
  [[nodiscard]] size_t pending() const override;

 private:
  struct Lease {
    pb::JobKey key;                      // It was granted under.
    pb::SignedRecord terms;              // By which; every answer carries them.
    std::deque<pb::ItemRequests> items;  // Still to be scored; the first may be under way.
    std::set<uint32_t> unacknowledged;   // Items whose answers are in the outbox.
  };

  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_pool_state(const pb::PoolState& state, Effects& effects);
  void end_job(const char* why, Effects& effects);
  void on_lent(const pb::PoolState& state, Effects& effects);
  void on_coordinator(const pb::Envelope& envelope, Effects& effects);
  void on_prepare(const pb::Prepare& prepare, Effects& effects);
  void on_grant(const pb::Grant& grant, Effects& effects);
  void on_withdraw(const pb::Withdraw& withdraw, Effects& effects);
  void on_put_done(Instant now, const std::string& machine, const pb::PutDone& done,
                   Effects& effects);
  void on_loading(const ModelLoading& loading, Effects& effects);
  void on_loaded(const ModelLoaded& loaded, Effects& effects);
  void on_scoring(Instant now, const Scoring& scoring, Effects& effects);
  void on_scored(Instant now, const ItemScored& scored, Effects& effects);
  void store_answer(const LeaseId& id, const Lease& lease, const pb::ItemRequests& item,
                    const Scores& scores);
  void fail_lease(const LeaseId& id, const pb::ItemRequests& item, const Error& error,
                  Effects& effects);
  void finish_if_done(const LeaseId& id, Effects& effects);
  void say_holding(Effects& effects) const;
  void drop_leases(Effects& effects);
  void score_next(Effects& effects);
  void report_progress(Instant now, const LeaseId& id, Effects& effects);
  [[nodiscard]] bool is_mine(const pb::JobKey& key) const;
  [[nodiscard]] pb::Envelope to_coordinator() const;
  void answer_prepare(Effects& effects);

  const Keys& keys_;
  Outbox outbox_;
  struct WaitingAnswer {
    pb::JobKey key;  // The job it is for.
    LeaseId lease;
    uint32_t item = 0;
  };
  std::map<uint64_t, WaitingAnswer> waiting_answers_;  // By outbox tag.
  uint64_t next_answer_ = 1;

  PoolStateIntake intake_;
  std::string pool_;               // Another one knows nothing of what was done for this.
  std::optional<pb::JobKey> job_;  // Lent to.
  std::string coordinator_;
  pb::ModelPin model_;         // Of the job.
  std::string wanted_commit_;  // Of the job's model; empty before Prepare.
  std::string loaded_commit_, numeric_class_;
  std::optional<Error> load_error_;
  std::string loading_commit_;  // Asked for last and not answered; empty: none.

  std::map<LeaseId, Lease> leases_;
  std::deque<LeaseId> order_;
  std::optional<LeaseId> scoring_lease_;
  uint64_t scoring_id_ = 0;  // Of the last ScoreItem; older answers are dropped.
  Instant progress_due_{};
};

}  // namespace muster::roles::worker
