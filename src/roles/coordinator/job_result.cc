#include "roles/coordinator/job_result.h"

#include <algorithm>

#include "eval/metric.h"

namespace muster::roles::coordinator {
namespace {

void add_metrics(const std::vector<eval::ItemScore>& scores, pb::TaskResult& out) {
  for (const eval::MetricValue& metric : eval::aggregate(scores)) {
    auto* added = out.add_metrics();
    added->set_name(metric.name);
    added->set_value(metric.value);
    if (metric.stderr_value) added->set_stderr(*metric.stderr_value);
  }
}

eval::ItemScore score_of(const Item& item) {
  std::vector<eval::Response> responses;
  for (const auto& value : item.value.responses) {
    responses.push_back({value.loglikelihood(), value.is_greedy()});
  }
  return eval::score_item(*item.item, responses);
}

pb::TaskResult task_result(const Items& items, size_t index, uint32_t wanted_votes) {
  const FrozenTask& task = items.tasks()[index];
  pb::TaskResult out;
  out.set_task(task.task);
  out.set_version(task.version);
  out.set_num_fewshot(task.num_fewshot);
  out.set_documents(task.documents);
  out.set_note(task.note);
  out.set_items(static_cast<int64_t>(task.items.size()));
  out.set_wanted_votes(wanted_votes);
  std::vector<eval::ItemScore> scores;
  uint32_t least = UINT32_MAX;
  std::set<std::string> classes;
  for (const Item& item : items) {
    if (item.task != index) continue;
    classes.insert(item.value.numeric_class);
    scores.push_back(score_of(item));
    const auto votes = static_cast<uint32_t>(item.votes_at_settling);
    least = std::min(least, votes);
    if (votes < wanted_votes) out.set_items_below(out.items_below() + 1);
  }
  out.set_least_votes(least);
  for (const std::string& name : items.rules().classes) {
    if (classes.contains(name)) out.add_numeric_classes(name);
  }
  add_metrics(scores, out);
  return out;
}

}  // namespace

pb::JobResult job_result(const pb::JobRow& row, const Items& items, double seconds) {
  pb::JobResult out;
  for (size_t task = 0; task < items.tasks().size(); ++task) {
    *out.add_tasks() = task_result(items, task, row.request().redundancy());
  }
  *out.mutable_model() = row.model();
  out.set_seconds(seconds);
  for (const std::string& name : items.answered_classes()) out.add_numeric_classes(name);
  return out;
}

}  // namespace muster::roles::coordinator
