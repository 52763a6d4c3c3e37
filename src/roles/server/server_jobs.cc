// Jobs, each accepted, assigned, finished or cancelled by a committed row, and what their
// coordinators say and hear.
#include <algorithm>
#include <set>

#include "base/probe.h"
#include "roles/server/client_replies.h"
#include "roles/server/fair_share.h"
#include "roles/server/found_jobs.h"
#include "roles/server/job_request.h"
#include "roles/server/leaving.h"
#include "roles/server/lending.h"
#include "roles/server/permissions.h"
#include "roles/server/server.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/job_state.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

constexpr uint32_t kDefaultRedundancy = 2;
constexpr uint32_t kDefaultQuorumWaitMs = 30'000;
constexpr int kMostClasses = 8;
constexpr size_t kLongestKey = 64;
constexpr size_t kMostLive = 1000;

// The call of a submission whose model is known: it needs no look-up any more.
pb::Envelope pinned(const Submission& submission, const pb::ModelPin& pin) {
  pb::Envelope call;
  *call.mutable_from() = address(pb::ROLE_CLIENT, submission.client);
  *call.mutable_holder() = submission.holder;
  *call.mutable_submit() = submission.submit;
  *call.mutable_submit()->mutable_request()->mutable_directory_pin() = pin;
  return call;
}

// What is asked for, with what it leaves to the server.
pb::JobRequest complete(pb::JobRequest request) {
  if (request.redundancy() == 0) request.set_redundancy(kDefaultRedundancy);
  if (request.quorum_wait_ms() == 0) request.set_quorum_wait_ms(kDefaultQuorumWaitMs);
  return request;
}

const char* how_it_ended(pb::JobState state) {
  return state == pb::JOB_STATE_DONE     ? " is done"
         : state == pb::JOB_STATE_FAILED ? " failed"
                                         : " is cancelled";
}

// The coordinator that has the fewest jobs; empty: there is none.
std::string least_busy(const Situation& pool) {
  std::string best;
  size_t fewest = SIZE_MAX;
  for (const std::string& machine : pool.nodes.coordinators()) {
    const size_t load = pool.jobs.led_by(machine);
    if (load >= fewest || is_leaving(pool.nodes, pool.standings, machine)) continue;
    best = machine;
    fewest = load;
  }
  return best;
}

}  // namespace

void Server::on_submit(Instant now, const pb::Envelope& call, Effects& effects) {
  const std::string& client = call.from().machine();
  const pb::JobRequest& request = call.submit().request();
  if (call.submit().idempotency_key().size() > kLongestKey) {
    const Error error{Code::kInvalidArgument, "an idempotency key has 64 bytes at most"};
    effects.send.push_back({submit_failure(client, error)});
    return;
  }
  if (const Status checked = check_request(request); !checked) {
    effects.send.push_back({submit_failure(client, checked.error())});
    return;
  }
  if (!submissions_.has_room()) return effects.send.push_back({too_many_jobs(client)});
  if (request.has_directory_pin()) return accept(now, call, nullptr, effects);
  const std::string coordinator = least_busy(situation());
  if (coordinator.empty()) {
    const Error error{Code::kTryLater,
                      "no coordinator is connected to look the model up; start one with "
                      "'muster coordinator' and try again"};
    effects.send.push_back({submit_failure(client, error)});
    return;
  }
  submissions_.look_up(now, coordinator, {client, call.submit(), call.holder()}, effects);
}

void Server::on_pinned(Instant now, const std::string& from, const pb::Pinned& pinned,
                       Effects& effects) {
  const auto found = submissions_.take_pinned(from, pinned.call());
  if (!found) return;
  if (pinned.has_failure()) {
    effects.send.push_back({submit_failure(found->client, to_error(pinned.failure()))});
    return;
  }
  accept(now, server::pinned(*found, pinned.model()), nullptr, effects);
}

// The request says which model it is.
void Server::accept(Instant now, const pb::Envelope& call, const FoundJobs* found,
                    Effects& effects) {
  const std::string& client = call.from().machine();
  const pb::Submit& submit = call.submit();
  const pb::ModelPin& pin = submit.request().directory_pin();
  const Status checked = check_pin(pin);
  const auto id = checked ? job_id(complete(submit.request()), pin) : fail(checked.error());
  if (!id) {
    effects.send.push_back({submit_failure(client, id.error())});
    return;
  }
  const Job* job = jobs_.find(*id);
  if (job != nullptr && job->is_writing) {  // Nothing is said before it is known what the row says.
    MUSTER_PROBE("a submit meets a row that is being written");
    return submissions_.wait_for_row(*id, {client, submit, call.holder()});
  }
  if (job != nullptr) {
    return effects.send.push_back({submit_reply(client, job->row, !began(job->row, submit))});
  }
  if (found == nullptr) return search(now, call, {.named = *id}, effects);
  const pb::JobRow* before = row_of(*found, *id);
  const bool repeated = before != nullptr && began(*before, submit);
  const bool attach =
      before != nullptr && before->state() == pb::JOB_STATE_DONE && !submit.request().force();
  if (repeated || attach) {
    return effects.send.push_back({submit_reply(client, *before, !repeated)});
  }
  begin_run(call, *id, before == nullptr ? pb::JobRow() : *before, effects);
}

// `before`: the job's run before, empty if there was none.
void Server::begin_run(const pb::Envelope& call, const std::string& id, const pb::JobRow& before,
                       Effects& effects) {
  const std::string& client = call.from().machine();
  if (jobs_.going_on() >= kMostLive) return effects.send.push_back({too_many_jobs(client)});
  const pb::JobRequest& request = call.submit().request();
  const std::string researcher = researcher_of(call.holder());
  if (const Status may = limits_.may_begin(call.holder(), request, jobs_.running(researcher));
      !may) {
    return effects.send.push_back({submit_failure(client, may.error())});
  }
  pb::JobRow row = next_run(id, before, call.submit(), complete(request), request.directory_pin());
  row.set_researcher(researcher);
  const pb::Envelope reply = submit_reply(client, row, false);
  const Error away{Code::kTryLater, "the database cannot be written; try again in a minute"};
  jobs_.write({std::move(row), {reply}, submit_failure(client, away), {}}, effects);
}

void Server::on_row_stored(Instant now, const Stored& stored, Effects& effects) {
  const auto settled = jobs_.settle(now, stored);
  if (!settled || settled->outcome == Outcome::kUnknown) return;
  const std::string& id = settled->change.row.job();
  const auto waiting = submissions_.take_waiting(id);
  if (settled->outcome == Outcome::kDone) {
    on_row_committed(now, *settled, effects);
  } else {
    effects.warn("job " + short_id(id) + " could not be committed: " + stored.why, {.job = id});
    const pb::Envelope& answer = settled->change.on_failure;
    if (answer.has_to()) effects.send.push_back({answer});
    const Job* job = jobs_.find(id);
    if (job == nullptr) {
      const Error away{Code::kTryLater, "the database cannot be written: " + stored.why};
      watchers_.fail(id, away, effects);
    } else if (settled->is_news) {
      watchers_.tell(job->row, job->cannot_write, effects);
    }
  }
  for (const Submission& submission : waiting) {
    const pb::ModelPin& pin = submission.submit.request().directory_pin();
    accept(now, pinned(submission, pin), nullptr, effects);
  }
}

void Server::on_row_committed(Instant now, const JobTable::Settled& settled, Effects& effects) {
  const pb::JobRow& row = settled.row;
  const std::string& id = row.job();
  const bool over = is_over(row.state());
  for (const pb::Envelope& reply : settled.change.replies) effects.send.push_back({reply});
  standings_.add_tallies(settled.change.tallies, effects);
  if (settled.is_new_run) {
    effects.note("job " + short_id(id) + " accepted: " + row.model().name(), {.job = id});
    loans_.begin_run(id);
    kept_.drop(id);
  }
  if (over) {
    end_run(now, row, effects);
  } else {
    if (!nodes_.contains(row.coordinator())) jobs_.clear_coordinator(id);  // Gone meanwhile.
    if (settled.is_reassigned) loans_.stop_wanting(id);
    watchers_.tell(jobs_.at(id).row, "", effects);
  }
  if (settled.is_new_run || settled.is_reassigned || over) nodes_.mark_all_stale();
}

// Nothing of it is left here but that its records are kept.
void Server::end_run(Instant now, const pb::JobRow& row, Effects& effects) {
  const std::string& id = row.job();
  effects.note("job " + short_id(id) + how_it_ended(row.state()), {.job = id});
  effects.count(Count::What::kJobEnded, std::string(to_word(row.state())));
  for (const std::string& machine : loans_.end_run(id)) nodes_.mark_stale(machine);
  if (row.state() == pb::JOB_STATE_FAILED) {
    note_event(now, row, "", "failed: " + row.reason(), effects);
  }
  reasons_.end_run(id, effects);
  if (const auto run = kept_run(row)) kept_.add(*run);
  watchers_.tell(row, "", effects);
  watchers_.end(id);  // They have heard the end.
}

// Gives jobs without a coordinator to one, under a new epoch, and repeats Assign until it speaks.
void Server::assign_jobs(Instant now, Effects& effects) {
  for (const std::string& id : jobs_.live()) {
    const Job& job = jobs_.at(id);
    if (job.is_writing) continue;
    if (job.row.coordinator().empty()) {
      const std::string coordinator = next_coordinator(now, job);
      if (coordinator.empty()) continue;
      if (job.tenure.due() > now) {  // The last attempt to commit failed.
        effects.wake_by(job.tenure.due());
        continue;
      }
      assign_to(now, job, coordinator, job.row.epoch() + 1, effects);
    } else if (!job.tenure.is_heard()) {
      if (job.tenure.due() <= now) {
        pb::Envelope assign = envelope_to(address(pb::ROLE_COORDINATOR, job.row.coordinator()));
        *assign.mutable_assign()->mutable_row() = job.row;
        assign.mutable_assign()->set_revision(nodes_.next_revision());
        effects.send.push_back({std::move(assign)});
        jobs_.tenure(id).put_off(now);
      }
      effects.wake_by(job.tenure.due());
    }
  }
}

// After a start the one that had it gets time to come back.
std::string Server::next_coordinator(Instant now, const Job& job) const {
  const std::string& before = job.tenure.before();
  if (!in_grace(now) || before.empty()) return least_busy(situation());
  return nodes_.contains(before) ? before : "";
}

// Under an epoch above all before.
void Server::assign_to(Instant now, const Job& job, const std::string& coordinator, uint64_t epoch,
                       Effects& effects) {
  pb::JobRow row = assigned(job.row, coordinator, epoch);
  effects.note("job " + short_id(row.job()) + " goes to coordinator " + short_id(coordinator),
               {.job = row.job(), .machine = coordinator});
  if (row.assignments_size() > 1) {
    note_event(now, job.row, coordinator, "took the job over", effects);
  }
  jobs_.write({std::move(row), {}, {}, {}}, effects);
}

// What it was asked on its last line it answers no more.
void Server::on_coordinator_back(const NodeJoined& joined, Effects& effects) {
  submissions_.ask_again(joined.machine, effects);
  for (const std::string& id : jobs_.live()) {
    jobs_.tenure(id).note_back(joined.machine, joined.hello.instance());
  }
}

void Server::on_coordinator_lost(Instant now, const std::string& id, const std::string& instance,
                                 const std::string& why, Effects& effects) {
  const Job& job = jobs_.at(id);
  const std::string machine = jobs_.lose_coordinator(now, id, instance);
  loans_.stop_wanting(id);
  note_event(now, job.row, machine, "coordinator lost: " + why, effects);
  watchers_.tell(job.row, "coordinator lost, waiting", effects);
  if (!job.tenure.is_hopeless() || job.is_writing) return;
  MUSTER_PROBE("a job that costs every coordinator fails");
  const std::string reason = std::to_string(job.tenure.ended_early()) +
                             " coordinators in a row were lost as soon as they had this job";
  jobs_.write({ended(job.row, pb::JOB_STATE_FAILED, reason, unix_ms(now)), {}, {}, {}}, effects);
}

void Server::on_commit_frozen(Instant now, const std::string& from, const pb::CommitFrozen& commit,
                              Effects& effects) {
  const Job* job = jobs_.current(commit.key(), from);
  if (job == nullptr || job->is_writing) return;
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_frozen_committed()->mutable_key() = commit.key();
  answer.mutable_frozen_committed()->set_digest(commit.digest());
  if (job->row.frozen_digest() == commit.digest()) {
    effects.send.push_back({std::move(answer)});
    return;
  }
  pb::JobRow row = job->row;
  row.set_frozen_digest(commit.digest());
  row.set_total_items(std::max<int64_t>(commit.items(), 0));
  const auto items = static_cast<uint64_t>(row.total_items());
  if (const Status may = limits_.add(unix_ms(now), counted_run(row, items)); !may) {
    row = ended(job->row, pb::JOB_STATE_FAILED, may.error().message, unix_ms(now));
    return jobs_.write({std::move(row), {}, {}, {}}, effects);
  }
  jobs_.write({std::move(row), {std::move(answer)}, {}, {}}, effects);
}

void Server::on_commit_class(const std::string& from, const pb::CommitClass& commit,
                             Effects& effects) {
  const Job* job = jobs_.current(commit.key(), from);
  if (job == nullptr || job->is_writing) return;
  pb::JobRow row = job->row;
  const auto& known = row.numeric_classes();
  const bool is_new =
      std::find(known.begin(), known.end(), commit.numeric_class()) == known.end() &&
      known.size() < kMostClasses;
  if (is_new) row.add_numeric_classes(commit.numeric_class());
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_class_committed()->mutable_key() = commit.key();
  *answer.mutable_class_committed()->mutable_numeric_classes() = row.numeric_classes();
  if (is_new) return jobs_.write({std::move(row), {std::move(answer)}, {}, {}}, effects);
  effects.send.push_back({std::move(answer)});
}

void Server::on_progress(Instant now, const std::string& from, const pb::JobProgress& progress,
                         Effects& effects) {
  const Job* job = jobs_.current(progress.key(), from);
  if (job == nullptr) return;
  const pb::JobRow& row = job->row;
  reasons_.note_events(row, progress, unix_ms(now), effects);
  if (row.reason() != progress.reason() && !progress.reason().empty()) {
    note_event(now, row, "", "waited: " + progress.reason(), effects);
  }
  if (jobs_.note_progress(row.job(), progress)) watchers_.tell(row, "", effects);
}

void Server::on_finish(Instant now, const std::string& from, const pb::Finish& finish,
                       Effects& effects) {
  const Job* job = jobs_.current(finish.key(), from);
  if (job == nullptr || job->is_writing) return;
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_finished()->mutable_key() = finish.key();
  jobs_.write({finished(job->row, finish, unix_ms(now)),
               {std::move(answer)},
               {},
               {finish.tallies().begin(), finish.tallies().end()}},
              effects);
}

void Server::on_cancel(Instant now, const pb::Envelope& call, const FoundJobs* found,
                       Effects& effects) {
  const std::string& named = call.cancel_job().job();
  const auto refuse = [&](Code code, const std::string& why) {
    effects.send.push_back({failed(call, {code, why})});
  };
  const bool is_whole = jobs_.find(named) != nullptr;
  if (!is_whole && !named.empty() && found == nullptr) {
    return search(now, call, {.named = named}, effects);
  }
  const auto matching = is_whole           ? std::set{named}
                        : found == nullptr ? std::set<std::string>()
                                           : jobs_named(jobs_, *found, named);
  if (matching.empty()) return refuse(Code::kNotFound, "no job is called '" + named + "'");
  if (matching.size() > 1) return refuse(Code::kInvalidArgument, "several jobs begin so; say more");
  const Job* job = jobs_.find(*matching.begin());
  if (job == nullptr) return refuse(Code::kFailed, "that job is over already");
  if (const Status may = may_cancel(call.holder(), job->row); !may) {
    return refuse(may.error().code, may.error().message);
  }
  if (job->is_writing) return refuse(Code::kTryLater, "that job is just changing; try again");
  pb::JobRow row = ended(job->row, pb::JOB_STATE_CANCELLED, "cancelled", unix_ms(now));
  pb::Envelope reply = to_client(call.from().machine());
  reply.mutable_cancel_reply()->set_state(row.state());
  const Error away{Code::kTryLater, "the database cannot be written; try again in a minute"};
  jobs_.write({std::move(row), {std::move(reply)}, failed(call, away), {}}, effects);
}

void Server::on_watch(Instant now, const pb::Envelope& call, const FoundJobs* found,
                      Effects& effects) {
  const std::string& client = call.from().machine();
  const std::string& id = call.watch().job();
  pb::Envelope update = to_client(client);
  const Job* job = jobs_.find(id);
  if (job != nullptr && job->row.run() > 0) {
    watchers_.add(id, client, call.holder().token());
    *update.mutable_job_update()->mutable_row() = job->row;
    return effects.send.push_back({std::move(update)});
  }
  if (found == nullptr && !id.empty()) return search(now, call, {.named = id}, effects);
  const pb::JobRow* row = found == nullptr ? nullptr : row_of(*found, id);
  if (row == nullptr && job != nullptr) {
    return watchers_.add(id, client, call.holder().token());  // It begins.
  }
  if (row == nullptr) {
    return effects.send.push_back(
        {failed(call, {Code::kNotFound, "no job is called '" + id + "'"})});
  }
  *update.mutable_job_update()->mutable_row() = *row;
  effects.send.push_back({std::move(update)});
}

void Server::on_report_charge(Instant now, const std::string& from, const pb::ReportCharge& report,
                              Effects& effects) {
  const pb::Charge& charge = report.charge();
  const Job* job = jobs_.current(report.key(), from);
  if (job == nullptr || charge.machine().empty()) return;
  if (standings_.is_news(charge)) {
    note_event(now, job->row, charge.machine(), "outvoted: " + charge.difference(), effects);
  }
  standings_.add_charge(from, report, effects);
}

void Server::on_silent_store(Instant now, const std::string& from, const pb::SilentStore& silent,
                             Effects& effects) {
  const Job* job = jobs_.current(silent.key(), from);
  if (job == nullptr || !view_.contains(silent.machine())) return;
  if (!standings_.is_out(now, silent.machine())) {
    note_event(now, job->row, silent.machine(), "as a storage node it " + silent.what(), effects);
  }
  standings_.note_lapse(now, silent.machine(), silent.what(), effects);
}

// A store has a seal of a higher epoch than the row, or the coordinator had the run under this one
// before: this database is older than what was done. Epochs go on above it.
void Server::on_overtaken(Instant now, const std::string& from, const pb::Overtaken& overtaken,
                          Effects& effects) {
  const Job* job = jobs_.current(overtaken.key(), from);
  constexpr uint64_t kHighest = uint64_t{1} << 62;
  const uint64_t epoch = overtaken.epoch();
  const bool news =
      job != nullptr && !job->is_writing && epoch >= job->row.epoch() && epoch < kHighest;
  if (!news) return;
  MUSTER_PROBE("a restored server goes on above the epochs that stores know");
  note_event(now, job->row, from, "an assignment that this database does not know was there before",
             effects);
  assign_to(now, *job, from, epoch + 1, effects);
}

// The coordinator says what it can use; what it cannot is free for other jobs.
void Server::on_want(Instant now, const std::string& from, const pb::WantWorkers& want,
                     Effects& effects) {
  const Job* job = jobs_.current(want.key(), from);
  if (job == nullptr) return;
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
    effects.note("machine " + short_id(machine) + " is lent to job " + short_id(job),
                 {.job = job, .machine = machine});
    nodes_.mark_stale(machine);
  }
  auto recalled = recalls(situation());
  for (const std::string& id : jobs_.live()) {
    if (!loans_.recall(id, recalled[id])) continue;
    if (!loans_.recalled(id).empty()) MUSTER_PROBE("a machine is to go to another researcher");
    changed.insert(id);
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
