#include <algorithm>

#include "eval/metric.h"
#include "eval/task.h"
#include "web/api/api.h"
#include "web/api/parameters.h"
#include "web/board/board_view.h"
#include "web/http/json_reply.h"
#include "web/json/task_facts.h"
#include "web/pages/pages.h"

namespace muster::web {
namespace {

Json metric_json(const std::string& name) {
  return {{"metric", name},
          {"filter", "none"},
          {"higher_is_better", true},
          {"is_proportion", is_proportion(name)},
          {"main", name == eval::metric_names().front()}};
}

Json metrics_json() {
  Json metrics = Json::array();
  for (const std::string& name : eval::metric_names()) metrics.push_back(metric_json(name));
  return metrics;
}

Json task_json(const Board& board, const eval::Task& task) {
  const TaskFacts* facts = task_facts(task.name);
  int64_t models = 0;
  for (const auto& [column, count] : board.columns()) {
    if (column.task == task.name) models = std::max(models, count);
  }
  return {{"task", task.name},
          {"title", task.name},
          {"version", task.version},
          {"documents", task.documents},
          {"shots", task.default_fewshot},
          {"shots_fixed", task.fewshot_fixed},
          {"requests", facts != nullptr && !facts->requests.empty() ? Json(facts->requests.back())
                                                                    : Json(nullptr)},
          {"output_type", "multiple_choice"},
          {"metrics", metrics_json()},
          {"chance", facts != nullptr ? Json(facts->chance) : Json(nullptr)},
          {"group", nullptr},
          {"data", task.dataset_path},
          {"is_public", true},
          {"results", models}};
}

Answer list_tasks(const ApiSources& sources, const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  Json items = Json::array();
  sources.board.with([&](const Board& board) {
    for (const eval::Task& task : eval::tasks()) items.push_back(task_json(board, task));
  });
  Reply reply = json_reply({{"items", std::move(items)}});
  set_tag(request, reply);
  return reply;
}

Answer list_problems(const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  Reply reply = json_reply(problem_kinds());
  set_tag(request, reply);
  return reply;
}

// Who is signed in: nobody can, yet.
Answer tell_session(const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  Reply reply = json_reply({{"user", nullptr},
                            {"csrf", nullptr},
                            {"lacks", {"accounts", "items"}},
                            {"expires_at_ms", nullptr}});
  reply.fields.emplace_back("Cache-Control", "private, no-store");
  return reply;
}

Answer tell_description(const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  Reply reply{.type = "application/json",
              .body = std::make_shared<const std::string>(api_description())};
  set_tag(request, reply);
  return reply;
}

}  // namespace

void add_reference_routes(Routes& routes, const ApiSources& sources) {
  routes.add("GET", "/tasks",
             [=](const Request& request, const Captured&) { return list_tasks(sources, request); });
  routes.add("GET", "/problems",
             [](const Request& request, const Captured&) { return list_problems(request); });
  routes.add("GET", "/session",
             [](const Request& request, const Captured&) { return tell_session(request); });
  routes.add("GET", "/openapi.json",
             [](const Request& request, const Captured&) { return tell_description(request); });
}

}  // namespace muster::web
