#include "roles/server/job_row.h"

#include <optional>

#include "base/digest.h"
#include "eval/task.h"

namespace muster::roles::server {
namespace {

template <typename Number>
std::string text_of(const Number& number) {
  return std::to_string(number);
}

}  // namespace

bool is_over(pb::JobState state) {
  return state == pb::JOB_STATE_DONE || state == pb::JOB_STATE_FAILED ||
         state == pb::JOB_STATE_CANCELLED;
}

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

}  // namespace muster::roles::server
