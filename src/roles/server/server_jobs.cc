// The server's jobs: accepted, assigned, finished or cancelled, each by a committed row.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/client_replies.h"
#include "roles/server/job_request.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr uint32_t kDefaultRedundancy = 2;
constexpr uint32_t kDefaultQuorumWaitMs = 30'000;
constexpr int kMostClasses = 8;
constexpr int kMostKeys = 8;  // Idempotency keys that a job remembers.
constexpr size_t kLongestKey = 64;
constexpr size_t kMostLive = 1000;
constexpr int kMostAssignments = 16;  // That a row remembers, the latest.

// The same submission with its model pinned: it needs no look-up any more.
pb::Submit pinned(pb::Submit submit, const pb::ModelPin& pin) {
  *submit.mutable_request()->mutable_directory_pin() = pin;
  return submit;
}

// It was this very submission that began one of the job's runs.
bool began(const pb::JobRow& row, const pb::Submit& submit) {
  return std::find(row.begun_by().begin(), row.begun_by().end(), submit.idempotency_key()) !=
         row.begun_by().end();
}

}  // namespace

void Server::on_submit(Instant now, const std::string& client, const pb::Submit& submit,
                       Effects& effects) {
  const pb::JobRequest& request = submit.request();
  if (submit.idempotency_key().size() > kLongestKey) {
    const Error error{Code::kInvalidArgument, "an idempotency key has 64 bytes at most"};
    effects.send.push_back({submit_failure(client, error)});
    return;
  }
  if (const Status checked = check_request(request); !checked) {
    effects.send.push_back({submit_failure(client, checked.error())});
    return;
  }
  if (!submissions_.has_room()) return effects.send.push_back({too_many_jobs(client)});
  if (request.has_directory_pin()) {
    return accept(client, submit, request.directory_pin(), effects);
  }
  const std::string coordinator = pick_coordinator();
  if (coordinator.empty()) {
    const Error error{Code::kTryLater,
                      "no coordinator is connected to look the model up; start one with "
                      "'muster coordinator' and try again"};
    effects.send.push_back({submit_failure(client, error)});
    return;
  }
  submissions_.look_up(now, coordinator, {client, submit}, effects);
}

void Server::on_pinned(const std::string& from, const pb::Pinned& pinned, Effects& effects) {
  const auto found = submissions_.take_pinned(from, pinned.call());
  if (!found) return;
  if (pinned.has_failure()) {
    effects.send.push_back({submit_failure(found->client, to_error(pinned.failure()))});
    return;
  }
  accept(found->client, found->submit, pinned.model(), effects);
}

void Server::accept(const std::string& client, const pb::Submit& submit, const pb::ModelPin& pin,
                    Effects& effects) {
  pb::JobRequest request = submit.request();
  if (request.redundancy() == 0) request.set_redundancy(kDefaultRedundancy);
  if (request.quorum_wait_ms() == 0) request.set_quorum_wait_ms(kDefaultQuorumWaitMs);
  const Status checked = check_pin(pin);
  const auto id = checked ? job_id(request, pin) : fail(checked.error());
  if (!id) {
    effects.send.push_back({submit_failure(client, id.error())});
    return;
  }
  pb::JobRow row;
  if (auto found = jobs_.find(*id); found != jobs_.end()) {
    Job& job = found->second;
    if (job.writing) {  // Nothing is said before it is known what the row says.
      MUSTER_PROBE("a submit meets a row that is being written");
      submissions_.wait_for_row(*id, {client, pinned(submit, pin)});
      return;
    }
    const bool repeated = began(job.row, submit);
    const bool attach = repeated || !is_over(job.row.state()) ||
                        (job.row.state() == pb::JOB_STATE_DONE && !request.force());
    if (attach) {
      effects.send.push_back({submit_reply(client, job.row, !repeated)});
      return;
    }
    row.set_run(job.row.run());  // Epochs never go back, not for the next run either.
    row.set_epoch(job.row.epoch());
    *row.mutable_begun_by() = job.row.begun_by();
  }
  // What is on its way to the database will go on, too.
  if (live_.size() + row_writes_.size() + row_retries_.size() >= kMostLive) {
    return effects.send.push_back({too_many_jobs(client)});
  }
  if (!submit.idempotency_key().empty()) row.add_begun_by(submit.idempotency_key());
  if (row.begun_by_size() > kMostKeys) row.mutable_begun_by()->DeleteSubrange(0, 1);
  row.set_job(*id);
  row.set_run(row.run() + 1);
  row.set_state(pb::JOB_STATE_RUNNING);
  row.set_accepted_at_ms(submit.received_at_ms());
  row.set_reason("waiting for a coordinator");
  request.clear_directory_pin();
  *row.mutable_request() = std::move(request);
  *row.mutable_model() = pin;
  jobs_[*id].row.set_job(*id);
  const pb::Envelope reply = submit_reply(client, row, false);
  const Error away{Code::kTryLater, "the database cannot be written; try again in a minute"};
  write_row({std::move(row), {reply}, submit_failure(client, away)}, effects);
}

void Server::write_row(RowWrite write, Effects& effects) {
  const WriteId id = write_ids_.next();
  jobs_.at(write.row.job()).writing = true;
  effects.persist.push_back({id, SaveJob{write.row}});
  row_writes_.emplace(id, std::move(write));
}

void Server::on_row_stored(Instant now, const Stored& stored, RowWrite write, Effects& effects) {
  Job& job = jobs_.at(write.row.job());
  write.doubtful |= stored.outcome == Outcome::kUnknown;
  if (stored.outcome != Outcome::kDone && write.doubtful) {
    MUSTER_PROBE("a row is written again because its outcome is unknown");
    row_retries_.push_back({now + kRepeatEvery, std::move(write)});
    return;
  }
  job.writing = false;
  const auto waiting = submissions_.take_waiting(write.row.job());
  if (stored.outcome != Outcome::kDone) {
    effects.warn("job " + short_id(write.row.job()) + " could not be committed: " + stored.why);
    if (write.on_failure.has_to()) effects.send.push_back({std::move(write.on_failure)});
    job.tenure.put_off(now);
    const std::string why = "the server's database cannot be written: " + stored.why;
    const bool news = std::exchange(job.cannot_write, why) != why;
    if (job.row.run() > 0 && news) watchers_.tell(job.row, why, effects);
    if (job.row.run() == 0) {
      watchers_.end(write.row.job());
      jobs_.erase(write.row.job());
    }
  } else {
    job.cannot_write.clear();
    on_row_committed(now, job, std::move(write), effects);
  }
  for (const auto& [client, submit] : waiting) on_submit(now, client, submit, effects);
}

void Server::on_row_committed(Instant now, Job& job, RowWrite write, Effects& effects) {
  const bool reassigned = job.row.epoch() != write.row.epoch();
  const bool new_run = job.row.run() != write.row.run();
  if (new_run) {
    effects.note("job " + short_id(write.row.job()) + " accepted: " + write.row.model().name());
  }
  if (is_over(write.row.state())) {
    const char* how = write.row.state() == pb::JOB_STATE_DONE     ? " is done"
                      : write.row.state() == pb::JOB_STATE_FAILED ? " failed"
                                                                  : " is cancelled";
    effects.note("job " + short_id(write.row.job()) + how);
  }
  const int64_t settled = job.row.settled_items(), total = job.row.total_items();
  const std::string coordinator = job.row.coordinator();  // Empty: lost while it was written.
  job.row = std::move(write.row);
  is_over(job.row.state()) ? void(live_.erase(job.row.job())) : void(live_.insert(job.row.job()));
  if (is_over(job.row.state())) kept_until_.reset();           // Looked at anew.
  if (!reassigned && !new_run && !is_over(job.row.state())) {  // Heard while it was written.
    // Not even when it is there again: a new process knows nothing of the job.
    if (coordinator.empty()) job.row.clear_coordinator();
    job.row.set_settled_items(settled);
    job.row.set_total_items(total);
  }
  if (!nodes_.contains(job.row.coordinator())) job.row.clear_coordinator();  // Gone meanwhile.
  for (pb::Envelope& reply : write.replies) effects.send.push_back({std::move(reply)});
  standings_.add_tallies(write.tallies, effects);
  if (is_over(job.row.state())) {
    for (const std::string& machine : loans_.end_run(job.row.job())) nodes_.mark_stale(machine);
  }
  if (new_run) {
    loans_.begin_run(job.row.job());
    reasons_.forget(job.row.job());
  }
  if (job.row.state() == pb::JOB_STATE_FAILED) {
    note_event(now, job, "", "failed: " + job.row.reason(), effects);
  }
  if (new_run || reassigned || is_over(job.row.state())) nodes_.mark_all_stale();
  if (reassigned && !is_over(job.row.state())) {
    job.tenure.begin(now, job.row.settled_items());
    loans_.stop_wanting(job.row.job());
  }
  watchers_.tell(job.row, "", effects);
  if (is_over(job.row.state())) watchers_.end(job.row.job());  // They have heard the end.
}

void Server::retry_rows(Instant now, Effects& effects) {
  for (size_t i = 0; i < row_retries_.size();) {
    if (row_retries_[i].due > now) {
      effects.wake_by(row_retries_[i++].due);
      continue;
    }
    RowWrite write = std::move(row_retries_[i].write);
    row_retries_.erase(row_retries_.begin() + static_cast<int64_t>(i));
    write_row(std::move(write), effects);
  }
}

std::string Server::pick_coordinator() const {
  std::string best;
  size_t fewest = SIZE_MAX;
  for (const std::string& machine : nodes_.coordinators()) {
    const auto load =
        static_cast<size_t>(std::count_if(live_.begin(), live_.end(), [&](const std::string& id) {
          return jobs_.at(id).row.coordinator() == machine;
        }));
    if (load < fewest) {
      best = machine;
      fewest = load;
    }
  }
  return best;
}

// Gives jobs without a coordinator to one, under a new epoch, and repeats Assign until it speaks.
void Server::assign_jobs(Instant now, Effects& effects) {
  for (const std::string& id : live_) {
    Job& job = jobs_.at(id);
    if (job.writing) continue;
    if (job.row.coordinator().empty()) {
      // After a start the one that had it gets time to come back.
      const bool waits = in_grace(now) && !job.tenure.before().empty();
      const std::string coordinator = waits && nodes_.contains(job.tenure.before())
                                          ? job.tenure.before()
                                      : waits ? ""
                                              : pick_coordinator();
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
        job.tenure.put_off(now);
      }
      effects.wake_by(job.tenure.due());
    }
  }
}

// Under an epoch above all before.
void Server::assign_to(Instant now, Job& job, const std::string& coordinator, uint64_t epoch,
                       Effects& effects) {
  pb::JobRow row = job.row;
  row.set_epoch(epoch);
  row.set_coordinator(coordinator);
  row.clear_reason();
  auto* assignment = row.add_assignments();
  assignment->set_epoch(row.epoch());
  assignment->set_coordinator(coordinator);
  effects.note("job " + short_id(row.job()) + " goes to coordinator " + short_id(coordinator));
  if (row.assignments_size() > 1) note_event(now, job, coordinator, "took the job over", effects);
  while (row.assignments_size() > kMostAssignments) row.mutable_assignments()->DeleteSubrange(0, 1);
  write_row({std::move(row), {}, {}}, effects);
}

// What it was asked on its last line it answers no more.
void Server::on_coordinator_back(const NodeJoined& joined, Effects& effects) {
  submissions_.ask_again(joined.machine, effects);
  for (const std::string& id : live_) {
    jobs_.at(id).tenure.note_back(joined.machine, joined.hello.instance());
  }
}

void Server::on_coordinator_lost(Instant now, Job& job, const std::string& instance,
                                 const std::string& why, Effects& effects) {
  const std::string machine = job.row.coordinator();
  job.row.clear_coordinator();
  loans_.stop_wanting(job.row.job());
  job.tenure.lose(now, machine, instance, job.row.settled_items());
  note_event(now, job, machine, "coordinator lost: " + why, effects);
  watchers_.tell(job.row, "coordinator lost, waiting", effects);
  if (!job.tenure.is_hopeless() || job.writing) return;
  MUSTER_PROBE("a job that costs every coordinator fails");
  pb::JobRow row = job.row;
  row.set_ended_at_ms(unix_ms(now));
  row.set_state(pb::JOB_STATE_FAILED);
  row.set_epoch(row.epoch() + 1);
  row.set_reason(std::to_string(job.tenure.ended_early()) +
                 " coordinators in a row were lost as soon as they had this job");
  write_row({std::move(row), {}, {}}, effects);
}

// The job, if this is its assignment and whoever says so has it.
Server::Job* Server::current(const pb::JobKey& key, const std::string& from) {
  auto found = jobs_.find(key.job());
  if (found == jobs_.end() || !same_key(key_of(found->second.row), key)) return nullptr;
  if (found->second.row.coordinator() != from) return nullptr;
  found->second.tenure.note_heard();
  return &found->second;
}

void Server::on_commit_frozen(const std::string& from, const pb::CommitFrozen& commit,
                              Effects& effects) {
  Job* job = current(commit.key(), from);
  if (job == nullptr || job->writing) return;
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_frozen_committed()->mutable_key() = commit.key();
  answer.mutable_frozen_committed()->set_digest(commit.digest());
  if (job->row.frozen_digest() == commit.digest()) {
    effects.send.push_back({std::move(answer)});
    return;
  }
  pb::JobRow row = job->row;
  row.set_frozen_digest(commit.digest());
  write_row({std::move(row), {std::move(answer)}, {}}, effects);
}

void Server::on_commit_class(const std::string& from, const pb::CommitClass& commit,
                             Effects& effects) {
  Job* job = current(commit.key(), from);
  if (job == nullptr || job->writing || is_over(job->row.state())) return;
  pb::JobRow row = job->row;
  const auto& known = row.numeric_classes();
  const bool is_new =
      std::find(known.begin(), known.end(), commit.numeric_class()) == known.end() &&
      known.size() < kMostClasses;
  if (is_new) row.add_numeric_classes(commit.numeric_class());
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_class_committed()->mutable_key() = commit.key();
  *answer.mutable_class_committed()->mutable_numeric_classes() = row.numeric_classes();
  if (is_new) return write_row({std::move(row), {std::move(answer)}, {}}, effects);
  effects.send.push_back({std::move(answer)});
}

void Server::on_progress(Instant now, const std::string& from, const pb::JobProgress& progress,
                         Effects& effects) {
  Job* job = current(progress.key(), from);
  if (job == nullptr || is_over(job->row.state())) return;
  reasons_.note_happenings(job->row, progress, unix_ms(now), effects);
  pb::JobRow& row = job->row;
  if (row.reason() != progress.reason() && !progress.reason().empty()) {
    note_event(now, *job, "", "waited: " + progress.reason(), effects);
  }
  const bool changed = row.settled_items() != progress.settled() ||
                       row.total_items() != progress.total() || row.reason() != progress.reason();
  row.set_settled_items(progress.settled());
  row.set_total_items(progress.total());
  row.set_reason(progress.reason());
  if (changed) watchers_.tell(job->row, "", effects);
}

void Server::on_finish(Instant now, const std::string& from, const pb::Finish& finish,
                       Effects& effects) {
  Job* job = current(finish.key(), from);
  if (job == nullptr || job->writing) return;
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_finished()->mutable_key() = finish.key();
  if (is_over(job->row.state())) {
    effects.send.push_back({std::move(answer)});
    return;
  }
  pb::JobRow row = job->row;
  row.set_ended_at_ms(unix_ms(now));
  row.set_state(finish.has_failure() ? pb::JOB_STATE_FAILED : pb::JOB_STATE_DONE);
  row.set_reason(finish.failure().message());
  if (!finish.has_failure()) {
    *row.mutable_result() = finish.result();
    row.set_settled_items(row.total_items());  // What was last heard is older.
  }
  RowWrite write{std::move(row), {std::move(answer)}, {}};
  write.tallies = {finish.tallies().begin(), finish.tallies().end()};
  write_row(std::move(write), effects);
}

void Server::on_cancel(Instant now, const std::string& client, const pb::CancelJob& cancel,
                       Effects& effects) {
  pb::Envelope reply = to_client(client);
  auto refuse = [&](Code code, const std::string& why) {
    *reply.mutable_cancel_reply()->mutable_failure() = to_failure({code, why});
    effects.send.push_back({std::move(reply)});
  };
  std::vector<std::string> matching;
  for (const auto& [id, job] : jobs_) {
    if (!cancel.job().empty() && id.starts_with(cancel.job())) matching.push_back(id);
  }
  if (matching.empty()) return refuse(Code::kNotFound, "no job is called '" + cancel.job() + "'");
  if (matching.size() > 1) return refuse(Code::kInvalidArgument, "several jobs begin so; say more");
  Job& job = jobs_.at(matching.front());
  if (is_over(job.row.state())) return refuse(Code::kFailed, "that job is over already");
  if (job.writing) return refuse(Code::kTryLater, "that job is just changing; try again");
  pb::JobRow row = job.row;
  row.set_state(pb::JOB_STATE_CANCELLED);
  row.set_ended_at_ms(unix_ms(now));
  row.set_reason("cancelled");
  row.set_epoch(row.epoch() + 1);
  reply.mutable_cancel_reply()->set_state(row.state());
  write_row({std::move(row), {std::move(reply)}, {}}, effects);
}

void Server::on_watch(const std::string& client, const pb::Watch& watch, Effects& effects) {
  pb::Envelope update = to_client(client);
  auto found = jobs_.find(watch.job());
  if (found == jobs_.end()) {
    *update.mutable_job_update()->mutable_failure() =
        to_failure({Code::kNotFound, "no job is called '" + watch.job() + "'"});
  } else {
    *update.mutable_job_update()->mutable_row() = found->second.row;
    if (!is_over(found->second.row.state())) watchers_.add(watch.job(), client);
  }
  effects.send.push_back({std::move(update)});
}

}  // namespace muster::roles::server
