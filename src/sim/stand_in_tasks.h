#pragma once

#include <memory>

#include "roles/role.h"

namespace muster::sim {

// The items of a job as the simulator freezes them: those of its tasks by number, with short texts.
Result<std::shared_ptr<const roles::FrozenTasks>> stand_in_tasks(const pb::JobRequest& request);

}  // namespace muster::sim
