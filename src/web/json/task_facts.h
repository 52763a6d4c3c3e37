#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace muster::web {

// What one finds out about a task by building its items, with its own number of examples.
struct TaskFacts {
  std::vector<int64_t> requests;  // To the model, in all items up to and with each.
  double chance = 0;              // Accuracy by guessing: the mean of 1 / choices.
};

// Built once in a process, when it is first asked for; it stays. Null: no task is called so, or
// its items cannot be built. Thread-safe.
const TaskFacts* task_facts(const std::string& task);

}  // namespace muster::web
