#include "eval/task.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "eval/bundle.h"
#include "eval/hellaswag.h"
#include "eval/mmlu.h"

namespace muster::eval {
namespace {

constexpr size_t kMaxRowBytes = 1 << 20;

Result<std::vector<Json>> bundled_rows(std::string_view name) {
  std::vector<Json> rows;
  std::string_view rest = bundled(name);
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    MUSTER_TRY(auto row, parse_json(line, kMaxRowBytes));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::map<std::string, std::vector<Json>>> mmlu_examples() {
  std::map<std::string, std::vector<Json>> by_subject;
  MUSTER_TRY(auto rows, bundled_rows("mmlu_dev.jsonl"));
  for (Json& row : rows) {
    MUSTER_TRY(const auto subject, get_string(row, "subject"));
    by_subject[subject].push_back(std::move(row));
  }
  return by_subject;
}

// Levenshtein distance, letters compared without case.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i])) ==
                        std::tolower(static_cast<unsigned char>(b[j]));
      const size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

const std::vector<Task>& tasks() {
  static const std::vector<Task> known = {
      {"tinyHellaswag", "0.0", 0, false,
       "its ten few-shot examples come from a split that is not in the bundle; running with 0", 100,
       "tinyBenchmarks/tinyHellaswag", "validation"},
      {"tinyMMLU", "0.0", 0, true, "", 100, "tinyBenchmarks/tinyMMLU", "test"},
  };
  return known;
}

Result<const Task*> find_task(std::string_view name) {
  const Task* nearest = &tasks().front();
  for (const Task& task : tasks()) {
    if (task.name == name) return &task;
    if (edit_distance(task.name, name) < edit_distance(nearest->name, name)) nearest = &task;
  }
  return fail(Code::kUnsupported,
              "no task is called '" + std::string(name) + "'; the nearest is " + nearest->name);
}

int64_t limited(int64_t documents, std::optional<double> limit) {
  if (!limit || *limit >= static_cast<double>(documents)) return documents;
  const double count =
      *limit < 1 ? std::ceil(*limit * static_cast<double>(documents)) : std::floor(*limit);
  return static_cast<int64_t>(count);
}

Result<int64_t> resolve_fewshot(const Task& task, std::optional<int64_t> asked) {
  if (!asked || *asked == task.default_fewshot || task.fewshot_fixed) return task.default_fewshot;
  return fail(Code::kUnsupported,
              task.name + " with --num_fewshot " + std::to_string(*asked) +
                  ": the examples come from a split that is not in the bundle; leave the flag out");
}

Result<std::vector<Item>> build_items(const Task& task, const TaskOptions& options) {
  MUSTER_TRY_STATUS(resolve_fewshot(task, options.num_fewshot));
  MUSTER_TRY(auto rows, bundled_rows(task.name + ".jsonl"));
  MUSTER_TRY(const auto examples, mmlu_examples());
  rows.resize(static_cast<size_t>(limited(static_cast<int64_t>(rows.size()), options.limit)));
  std::vector<Item> items;
  for (const Json& row : rows) {
    const std::string subject = get_string(row, "subject").value_or("");
    const bool mmlu = task.name == "tinyMMLU";
    auto item = mmlu ? mmlu_item(row, examples.at(subject)) : hellaswag_item(row);
    if (!item) return fail(item.error().in(task.name + " " + std::to_string(items.size())));
    item->doc_id = static_cast<int64_t>(items.size());
    items.push_back(*std::move(item));
  }
  return items;
}

}  // namespace muster::eval
