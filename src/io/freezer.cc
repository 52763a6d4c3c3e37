#include "io/freezer.h"

#include "base/guarded.h"
#include "eval/task.h"

namespace muster::io {
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

Result<std::shared_ptr<const roles::FrozenTasks>> freeze_requests(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(auto task, freeze_task(name, request));
    tasks->push_back(std::move(task));
  }
  return std::shared_ptr<const roles::FrozenTasks>(std::move(tasks));
}

Freezer::Freezer(host::Inbox& inbox)
    : inbox_(inbox),
      thread_(
          [this](std::deque<Work> work) {
            for (const Work& one : work) {
              auto tasks = guarded([&] { return freeze_requests(one.freeze.request); });
              inbox_.post(one.owner,
                          roles::RequestsFrozen{one.freeze.job, one.freeze.run, std::move(tasks)});
            }
          },
          kMostWaiting) {}

void Freezer::freeze(pb::Role owner, const roles::FreezeRequests& freeze) {
  if (thread_.put({owner, freeze})) return;
  inbox_.post(
      owner, roles::RequestsFrozen{freeze.job, freeze.run,
                                   fail(Code::kTryLater, "too many jobs wait for their requests")});
}

}  // namespace muster::io
