#include "roles/server/job_request.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "eval/model_name.h"
#include "eval/model_size.h"
#include "eval/task.h"

namespace muster::roles::server {
namespace {

constexpr int kMostTasks = 256;
constexpr int64_t kMostShots = 100;
constexpr uint32_t kMostRedundancy = 5;
constexpr uint32_t kLongestQuorumWaitMs = 86'400'000;
constexpr double kMostLimit = 1e9;

Status refuse(const std::string& why) { return fail(Code::kInvalidArgument, why); }

bool is_text(const std::string& text, size_t most) {
  return text.size() <= most && std::none_of(text.begin(), text.end(),
                                             [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Status check_tasks(const pb::JobRequest& request) {
  if (request.tasks().empty()) return refuse("a job names at least one task");
  if (request.tasks_size() > kMostTasks) return refuse("a job names 256 tasks at most");
  std::set<std::string> names;
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    if (!names.insert(task->name).second) return refuse("task " + task->name + " is named twice");
    std::optional<int64_t> asked;
    if (request.has_num_fewshot()) asked = request.num_fewshot();
    if (asked && (*asked < 0 || *asked > kMostShots)) return refuse("--num_fewshot is 0 to 100");
    MUSTER_TRY([[maybe_unused]] const int64_t shots, eval::resolve_fewshot(*task, asked));
  }
  return {};
}

}  // namespace

Status check_request(const pb::JobRequest& request) {
  MUSTER_TRY_STATUS(check_tasks(request));
  const double limit = request.limit();
  const bool limited = std::isfinite(limit) && limit > 0 && limit <= kMostLimit;
  if (request.has_limit() && !limited) return refuse("--limit must be more than 0");
  if (request.redundancy() > kMostRedundancy) return refuse("--redundancy is 1 to 5, or auto");
  if (request.quorum_wait_ms() > kLongestQuorumWaitMs) {
    return refuse("--quorum_wait is a day at most");
  }
  if (!is_text(request.model(), 300) || request.model().empty()) {
    return refuse("a model's name has 1 to 300 bytes, all of them printable");
  }
  if (!is_text(request.username(), 64))
    return refuse("a user's name has 64 printable bytes at most");
  return {};
}

Status check_pin(const pb::ModelPin& pin) {
  if (!eval::is_commit(pin.commit()) && !eval::is_directory_digest(pin.commit())) {
    return refuse("'" + pin.commit().substr(0, 80) +
                  "' is no commit and no digest: 40 or 64 hex digits");
  }
  if (eval::is_commit(pin.commit()) && !pin.path().empty()) {
    return refuse("a model of the Hub has a commit and no path; a directory has its digest");
  }
  if (!is_text(pin.name(), 300)) return refuse("a model's name has 300 printable bytes at most");
  const bool is_path = pin.path().empty() || pin.path().front() == '/';
  if (!is_path || !is_text(pin.path(), 4096)) return refuse("a model's path is an absolute one");
  if (pin.dtype() != "float32")
    return refuse("dtype " + pin.dtype().substr(0, 20) + ": only float32");
  return eval::check_model_size(pin.name(), pin.parameters());
}

}  // namespace muster::roles::server
