#include "roles/server/job_row.h"

#include <algorithm>
#include <optional>

#include "base/digest.h"
#include "eval/task.h"

namespace muster::roles::server {
namespace {

constexpr int kMostKeys = 8;          // Idempotency keys that a job remembers.
constexpr int kMostAssignments = 16;  // That a row remembers, the latest.

template <typename Number>
std::string text_of(const Number& number) {
  return std::to_string(number);
}

}  // namespace

Result<std::string> job_id(const pb::JobRequest& request, const pb::ModelPin& pin) {
  Hasher hasher;
  for (const std::string& field : {pin.name(), pin.commit(), pin.dtype()}) hasher.add_field(field);
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    std::optional<int64_t> asked;
    if (request.has_num_fewshot()) asked = request.num_fewshot();
    MUSTER_TRY(const int64_t shots, eval::resolve_fewshot(*task, asked));
    for (const std::string& field : {task->name, task->version, text_of(shots)}) {
      hasher.add_field(field);
    }
  }
  hasher.add_field(request.has_limit() ? text_of(request.limit()) : "all");
  hasher.add_field(request.adaptive() ? "auto" : text_of(request.redundancy()));
  // With how few votes it may end up, and where its model is looked for.
  hasher.add_field(text_of(request.quorum_wait_ms()));
  hasher.add_field(pin.path());
  return to_hex(hasher.finish().substr(0, 8));
}

bool began(const pb::JobRow& row, const pb::Submit& submit) {
  return std::find(row.idempotency_keys().begin(), row.idempotency_keys().end(),
                   submit.idempotency_key()) != row.idempotency_keys().end();
}

pb::JobRow next_run(const std::string& job, const pb::JobRow& before, const pb::Submit& submit,
                    pb::JobRequest request, const pb::ModelPin& pin) {
  pb::JobRow row;
  row.set_run(before.run() + 1);  // Epochs never go back, not for the next run either.
  row.set_epoch(before.epoch());
  *row.mutable_idempotency_keys() = before.idempotency_keys();
  if (!submit.idempotency_key().empty()) row.add_idempotency_keys(submit.idempotency_key());
  if (row.idempotency_keys_size() > kMostKeys) row.mutable_idempotency_keys()->DeleteSubrange(0, 1);
  row.set_job(job);
  row.set_state(pb::JOB_STATE_RUNNING);
  row.set_accepted_at_ms(submit.received_at_ms());
  row.set_reason("waiting for a coordinator");
  request.clear_directory_pin();
  *row.mutable_request() = std::move(request);
  *row.mutable_model() = pin;
  return row;
}

pb::JobRow assigned(pb::JobRow row, const std::string& coordinator, uint64_t epoch) {
  row.set_epoch(epoch);
  row.set_coordinator(coordinator);
  row.clear_reason();
  auto* assignment = row.add_assignments();
  assignment->set_epoch(epoch);
  assignment->set_coordinator(coordinator);
  while (row.assignments_size() > kMostAssignments) row.mutable_assignments()->DeleteSubrange(0, 1);
  return row;
}

pb::JobRow finished(pb::JobRow row, const pb::Finish& finish, int64_t now_ms) {
  row.set_ended_at_ms(now_ms);
  row.set_state(finish.has_failure() ? pb::JOB_STATE_FAILED : pb::JOB_STATE_DONE);
  row.set_reason(finish.failure().message());
  if (!finish.has_failure()) {
    *row.mutable_result() = finish.result();
    row.set_settled_items(row.total_items());  // What was last heard is older.
  }
  return row;
}

pb::JobRow ended(pb::JobRow row, pb::JobState state, const std::string& reason, int64_t now_ms) {
  row.set_ended_at_ms(now_ms);
  row.set_state(state);
  row.set_epoch(row.epoch() + 1);
  row.set_reason(reason);
  return row;
}

}  // namespace muster::roles::server
