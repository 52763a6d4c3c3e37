#pragma once

#include <memory>

#include "base/result.h"
#include "roles/role.h"

namespace muster::host {

// What a job asks: every item of every task of its request, in order. A large task takes seconds.
// kUnsupported for a task, or a number of examples, that there is not.
Result<std::shared_ptr<const roles::FrozenTasks>> freeze_tasks(const pb::JobRequest& request);

}  // namespace muster::host
