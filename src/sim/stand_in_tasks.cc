#include "sim/stand_in_tasks.h"

#include "eval/task.h"

namespace muster::sim {
namespace {

constexpr double kLarge = 1000;  // More than any task here has: items of a job that is large.
constexpr size_t kLargeContext = 2000;  // Bytes, of each of those.

}  // namespace

Result<std::shared_ptr<const roles::FrozenTasks>> stand_in_tasks(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  for (const std::string& name : request.tasks()) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    tasks->push_back({.task = name, .version = task->version, .documents = task->documents});
    const bool large = request.limit() > kLarge;
    const auto count = large ? static_cast<int64_t>(request.limit())
                             : eval::limited(task->documents, request.limit());
    const std::string padding(large ? kLargeContext : 0, 'x');
    for (int64_t doc = 0; doc < count; ++doc) {
      eval::Item item{.doc_id = doc, .gold = doc % 4};
      for (int choice = 0; choice < 4; ++choice) {
        item.requests.push_back(
            {request.model() + name + std::to_string(doc) + padding, " " + std::to_string(choice)});
        item.lengths.push_back(1 + choice % 2);
      }
      tasks->back().items.push_back(std::move(item));
    }
  }
  return tasks;
}

}  // namespace muster::sim
