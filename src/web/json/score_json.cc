#include "web/json/score_json.h"

#include <cmath>

#include "web/json/task_facts.h"

namespace muster::web {

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json interval_json(const std::optional<ScoreInterval>& interval) {
  if (!interval) return nullptr;
  return {{"low", interval->wide.low},
          {"high", interval->wide.high},
          {"low_50", interval->narrow.low},
          {"high_50", interval->narrow.high},
          {"method", interval->is_wilson ? "wilson" : "normal"}};
}

Json rank_json(const std::optional<eval::RankRange>& rank, int64_t of) {
  if (!rank) return nullptr;
  return {{"best", rank->best}, {"worst", rank->worst}, {"of", of}};
}

Json score_json(const pb::TaskResult& task, int metric) {
  const pb::Metric& value = task.metrics(metric);
  const TaskFacts* facts = task_facts(task.task());
  return {{"task", task.task()},
          {"metric", value.name()},
          {"filter", "none"},
          {"shots", task.num_fewshot()},
          {"main", metric == 0},
          {"higher_is_better", true},
          {"is_proportion", is_proportion(value.name())},
          {"value", finite(value.value())},
          {"stderr", value.has_stderr() ? finite(value.stderr()) : Json(nullptr)},
          {"interval", interval_json(interval_of(value.name(), value, task.items()))},
          {"chance", facts != nullptr ? Json(facts->chance) : Json(nullptr)},
          {"n", task.items()},
          {"documents", task.documents()},
          {"votes", task.least_votes()},
          {"votes_wanted", task.wanted_votes()},
          {"items_below", task.items_below()},
          {"classes", task.numeric_classes()},
          {"rank", nullptr},
          {"note", task.note()}};
}

Json scores_json(const pb::TaskResult& task) {
  Json scores = Json::array();
  for (int metric = 0; metric < task.metrics_size(); ++metric) {
    scores.push_back(score_json(task, metric));
  }
  return scores;
}

Json main_scores_json(const pb::JobResult& result) {
  Json scores = Json::array();
  for (const pb::TaskResult& task : result.tasks()) {
    if (task.metrics_size() > 0) scores.push_back(score_json(task, 0));
  }
  return scores;
}

}  // namespace muster::web
