#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/item.h"

namespace muster::eval {

// An evaluation task that muster knows. Names, versions and numbers are lm-eval's.
struct Task {
  std::string name;
  std::string version;       // As lm-eval prints it.
  int64_t default_fewshot;   // What runs when no --num_fewshot is given.
  bool fewshot_fixed;        // A --num_fewshot is refused by the task itself, as in lm-eval.
  std::string fewshot_note;  // Told to the researcher when the default runs; may be empty.
  int64_t documents;         // In the evaluation split.
  std::string dataset_path, split;
};

const std::vector<Task>& tasks();

// kUnsupported names the nearest task when there is none of this name.
Result<const Task*> find_task(std::string_view name);

struct TaskOptions {
  std::optional<double> limit;  // The first so many documents; below 1, that share of them.
  std::optional<int64_t> num_fewshot;
};

// How many documents --limit leaves of `documents`.
int64_t limited(int64_t documents, std::optional<double> limit);

// The number of examples that will run, or kUnsupported with the reason why those asked for cannot.
Result<int64_t> resolve_fewshot(const Task& task, std::optional<int64_t> asked);

// Every item of a task in document order, exactly as lm-eval builds it with one process.
Result<std::vector<Item>> build_items(const Task& task, const TaskOptions& options);

}  // namespace muster::eval
