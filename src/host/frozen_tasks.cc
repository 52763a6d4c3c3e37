#include "host/frozen_tasks.h"

#include <string>
#include <utility>

#include "eval/task.h"

namespace muster::host {
namespace {

Result<roles::FrozenTask> freeze_task(const std::string& name, const pb::JobRequest& request) {
  eval::TaskOptions options;
  if (request.has_limit()) options.limit = request.limit();
  if (request.has_num_fewshot()) options.num_fewshot = request.num_fewshot();
  MUSTER_TRY(const eval::Task* task, eval::find_task(name));
  roles::FrozenTask frozen{
      .task = task->name, .version = task->version, .documents = task->documents};
  MUSTER_TRY(const int64_t shots, eval::resolve_fewshot(*task, options.num_fewshot));
  frozen.num_fewshot = static_cast<int32_t>(shots);
  if (!request.has_num_fewshot()) frozen.note = task->fewshot_note;
  MUSTER_TRY(frozen.items, eval::build_items(*task, options));
  return frozen;
}

}  // namespace

Result<std::shared_ptr<const roles::FrozenTasks>> freeze_tasks(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(auto task, freeze_task(name, request));
    tasks->push_back(std::move(task));
  }
  return std::shared_ptr<const roles::FrozenTasks>(std::move(tasks));
}

}  // namespace muster::host
