#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/rng.h"
#include "roles/coordinator/items.h"
#include "roles/coordinator/journal.h"
#include "roles/coordinator/leases.h"
#include "roles/coordinator/leasing.h"
#include "roles/coordinator/machines.h"
#include "roles/coordinator/objections.h"
#include "roles/coordinator/owners.h"
#include "roles/coordinator/reference_classes.h"
#include "roles/coordinator/report.h"
#include "roles/coordinator/settling.h"
#include "roles/coordinator/situation.h"
#include "roles/coordinator/standings.h"
#include "roles/grants.h"
#include "roles/refusal_log.h"
#include "roles/request.h"
#include "roles/role.h"
#include "wire/keys.h"
#include "wire/record.h"

namespace muster::roles::coordinator {

// Drives one job under one epoch, from its row to its result.
//
//   freezing    FreezeRequests was asked for.
//   committing  CommitFrozen is repeated until the server has the digest in the job's row.
//   sealing     a seal is on its way to the whole view: coordinators of lower epochs write no more.
//   reading     records that other epochs left are read from the view, and the server says whose
//               votes count; what they settled is adopted and written again under this epoch.
//   running     machines are made ready, leases granted, answers read from the view, items settled.
//   finishing   Finish is repeated until the server answers; then over().
//
// What each part sees to stands above it. Here is what is decided over several of them.
//
// A lease is (epoch, number), granted by signed terms: leases of an epoch before go on, each
// machine shows the terms of those it holds when it says Ready, and gets no other before that.
//
// Answers are learned from storage alone, and count only with the terms that asked for them. A
// settled item counts once its record is acknowledged.
//
// A machine that says that model or item cannot work anywhere is excluded from it; the job fails
// when a second one says so, or when nobody else can run for the quorum wait; unless somebody
// could.
//
// A failed attempt is no answer. An item without one that every machine is excluded from, for the
// quorum wait, fails the job.
class Job {
 public:
  // `keys` outlives the object.
  // `rng` draws which items are checks, and who votes with whom: nobody else should guess.
  Job(pb::JobRow row, const Keys& keys, Rng rng, Instant now);
  Job(const Job&) = delete;

  // What there is to do first.
  void start(Effects& effects);
  void on_frozen(Instant now, const RequestsFrozen& frozen, Effects& effects);
  // A message that names this job, or comes from the storage view.
  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_pool_state(Instant now, const pb::PoolState& state);
  void on_line(Instant now, bool up);
  // The server has assigned the run by `assigned`, but `epoch` was there before: its database was
  // restored. It is told until it assigns the run anew.
  void on_overtaken(const pb::JobKey& assigned, uint64_t epoch);
  // The process stood still: leases get a fresh time-out.
  void on_resumed(Instant now);
  // After every event: grants, repeats, time-outs.
  void advance(Instant now, Effects& effects);

  // All its parts: see there.
  void check() const;

  [[nodiscard]] bool over() const { return phase_ == Phase::kOver; }
  [[nodiscard]] const pb::JobKey& key() const { return key_; }

 private:
  enum class Phase { kFreezing, kCommitting, kSealing, kReading, kRunning, kFinishing, kOver };

  // job.cc: phases, messages, the end; who works on what.
  void seal(Effects& effects);
  void on_put_done(Instant now, const std::string& store, const pb::PutDone& done);
  void on_put_refused(Instant now, const std::string& store, const pb::PutRefused& refused);
  void on_feed(Instant now, const std::string& store, const pb::Feed& feed, Effects& effects);
  void on_answer(Instant now, const OpenedRecord& opened, const std::string& owner,
                 Effects& effects);
  void begin_running(Instant now, Effects& effects);
  [[nodiscard]] bool classes_are_known(Instant now, Effects& effects);
  void on_class_committed(Instant now, const pb::ClassCommitted& committed, Effects& effects);
  void run(Instant now, Effects& effects);
  void finish(pb::JobResult result, Effects& effects);
  void give_up(const Error& error, Effects& effects);
  void end();
  void on_finished();
  void report(Instant now, Effects& effects);
  void ask_for_workers(Instant now, Effects& effects) const;
  [[nodiscard]] std::string waiting_reason() const;

  void on_lend(Instant now, const pb::Lend& lend, Effects& effects);
  void on_machines_gone(Instant now, const std::vector<std::string>& names, Effects& effects);
  void on_ready(Instant now, const std::string& machine, const pb::Ready& ready, Effects& effects);
  void on_unable(Instant now, const std::string& machine, const pb::Unable& unable,
                 Effects& effects);
  void prepare_machines(Instant now, Effects& effects);
  void give_back(Instant now, const std::string& machine, const Error& why, Effects& effects);
  void came_to_nothing(Instant now, const std::string& machine, Effects& effects);

  void adopt_lease(Instant now, const std::string& machine, const pb::HeldLease& held,
                   Effects& effects);
  void on_progress(Instant now, const std::string& machine, const pb::LeaseId& lease);
  void expire_leases(Instant now, Effects& effects);

  // job_failing.cc: what becomes of it when it cannot go on.
  [[nodiscard]] bool is_stuck(Instant now) const;
  void settle_what_waited(Instant now, Effects& effects);
  void on_lease_failed(Instant now, const std::string& machine, const pb::LeaseFailed& failed,
                       Effects& effects);
  void note_failure(Instant now, const std::string& machine, const pb::LeaseFailed& failed,
                    bool alone, Effects& effects);
  void fail_what_crashes_all(Instant now, Effects& effects);
  void object(const std::string& machine, Objections::Subject subject, const Error& error,
              Effects& effects);
  [[nodiscard]] bool is_refuted(Objections::Subject subject) const;
  [[nodiscard]] const Error* open_objection() const;  // One that is not refuted.

  [[nodiscard]] size_t redundancy() const { return row_.request().redundancy(); }
  [[nodiscard]] Duration quorum_wait() const {
    return milliseconds(row_.request().quorum_wait_ms());
  }
  [[nodiscard]] Situation situation() const {
    return {items_, leases_, machines_, owners_, standings_, row_.request().adaptive()};
  }

  pb::JobRow row_;
  pb::JobKey key_;
  Rng rng_;
  Instant started_;
  Phase phase_ = Phase::kFreezing;

  Items items_;
  Journal journal_;
  Grants grants_;
  Leases leases_;
  Machines machines_;
  Leasing leasing_;
  Owners owners_;
  Standings standings_;
  Settling settling_;
  ReferenceClasses classes_;
  Objections objections_;
  RefusalLog refusals_;
  Report report_;

  std::optional<Instant> stuck_since_;
  Request request_;    // CommitFrozen or Finish.
  Request overtaken_;  // The server has assigned the run under an epoch that was there before.
};

}  // namespace muster::roles::coordinator
