#include "web/json/job_json.h"

#include <algorithm>
#include <cstdio>

#include "eval/task.h"
#include "web/json/score_json.h"
#include "web/json/task_facts.h"
#include "wire/job_state.h"

namespace muster::web {
namespace {

constexpr uint32_t kVotesUnlessAsked = 2;
// Before so much is settled nobody can say how long the rest takes.
constexpr int64_t kShareToJudgeBy = 20;

bool is_over(const pb::JobRow& row) { return wire::is_over(row.state()); }

Json items_per_s(const JobNow& job) {
  return is_over(job.row) ? Json(nullptr) : Json(job.items_per_s);
}

Json seconds_left(const JobNow& job) {
  const int64_t settled = job.row.settled_items(), total = job.row.total_items();
  const bool is_known = job_state(job.row) == "running" && total > 0 && job.items_per_s > 0 &&
                        settled * kShareToJudgeBy >= total;
  if (!is_known) return nullptr;
  return static_cast<double>(total - settled) / job.items_per_s;
}

Json total_of(const pb::JobRow& row) {
  return row.total_items() > 0 ? Json(row.total_items()) : Json(nullptr);
}

Json ended_ms(const pb::JobRow& row) {
  return is_over(row) ? Json(row.ended_at_ms()) : Json(nullptr);
}

std::optional<double> limit_of(const pb::JobRequest& request) {
  return request.has_limit() ? std::optional(request.limit()) : std::nullopt;
}

// To the model, for so many items of a task; none where that is not known here.
std::optional<int64_t> requests_for(const std::string& task, int64_t items) {
  const TaskFacts* facts = task_facts(task);
  if (facts == nullptr || items > static_cast<int64_t>(facts->requests.size())) return std::nullopt;
  return items == 0 ? 0 : facts->requests[static_cast<size_t>(items - 1)];
}

int64_t items_of(const std::string& task, const pb::JobRequest& request) {
  const auto known = eval::find_task(task);
  return known ? eval::limited((*known)->documents, limit_of(request)) : 0;
}

Json requests_of(const pb::JobRequest& request) {
  int64_t sum = 0;
  for (const std::string& task : request.tasks()) {
    const auto requests = requests_for(task, items_of(task, request));
    if (!requests) return nullptr;
    sum += *requests;
  }
  return sum;
}

const pb::TaskResult* result_of(const pb::JobRow& row, const std::string& task) {
  for (const pb::TaskResult& result : row.result().tasks()) {
    if (result.task() == task) return &result;
  }
  return nullptr;
}

// What became of single items is not kept yet: those numbers are not known.
Json counts_json(const pb::TaskResult* result) {
  return {{"settled", result != nullptr ? Json(result->items()) : Json(nullptr)},
          {"right", nullptr},
          {"wrong", nullptr},
          {"disagreed", nullptr},
          {"below", result != nullptr ? Json(result->items_below()) : Json(nullptr)},
          {"ties", nullptr},
          {"trusted", nullptr}};
}

Json task_json(const pb::JobRow& row, const std::string& name) {
  const auto known = eval::find_task(name);
  const pb::TaskResult* result = result_of(row, name);
  const pb::JobRequest& request = row.request();
  const int64_t items = result != nullptr ? result->items() : items_of(name, request);
  const int64_t own = known ? (*known)->default_fewshot : 0;
  return {{"task", name},
          {"version", known ? (*known)->version : ""},
          {"shots", request.has_num_fewshot() ? request.num_fewshot() : own},
          {"items", items},
          {"documents", known ? (*known)->documents : items},
          {"requests", requests_for(name, items).value_or(0)},
          {"digest", nullptr},
          {"is_public", true},
          {"output_type", "multiple_choice"},
          {"counts", counts_json(result)},
          {"subjects", Json::array()},
          {"scores", result != nullptr ? scores_json(*result) : Json::array()}};
}

// 10 and not 10.0.
std::string limit_text(double limit) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", limit);
  return text;
}

// As a shell takes it.
std::string shell_word(const std::string& word) {
  const bool is_plain = std::all_of(word.begin(), word.end(), [](unsigned char letter) {
    return std::isalnum(letter) != 0 ||
           std::string_view("-_./,@:=+").find(static_cast<char>(letter)) != std::string_view::npos;
  });
  if (is_plain && !word.empty()) return word;
  std::string text = "'";
  for (const char letter : word)
    text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

}  // namespace

Json model_json(const pb::ModelPin& model) {
  return {{"name", model.name()},
          {"commit", model.commit()},
          {"dtype", model.dtype()},
          {"parameters", model.parameters() > 0 ? Json(model.parameters()) : Json(nullptr)},
          {"is_directory", !model.path().empty()}};
}

Json job_ref_json(const pb::JobRow& row) {
  return {{"job", row.job()},
          {"run", row.run()},
          {"model", row.model().name()},
          {"tasks", row.request().tasks()}};
}

std::string job_state(const pb::JobRow& row) {
  if (is_over(row)) return std::string(wire::to_word(row.state()));
  return row.reason().empty() && !row.coordinator().empty() ? "running" : "waiting";
}

Json job_json(const JobNow& job) {
  const pb::JobRow& row = job.row;
  const pb::JobRequest& request = row.request();
  Json json{{"job", row.job()},
            {"run", row.run()},
            {"state", job_state(row)},
            {"reason", row.reason()},
            {"model", model_json(row.model())},
            {"tasks", request.tasks()},
            {"limit", request.has_limit() ? Json(request.limit()) : Json(nullptr)},
            {"settled", row.settled_items()},
            {"total", total_of(row)},
            {"requests", requests_of(request)},
            {"votes_wanted", request.redundancy()},
            {"adaptive", request.adaptive()},
            {"items_per_s", items_per_s(job)},
            {"seconds_left", seconds_left(job)},
            {"accepted_at_ms", row.accepted_at_ms()},
            {"ended_at_ms", ended_ms(row)},
            {"by", nullptr},
            {"mine", false},
            {"disagreed", nullptr},
            {"scores", main_scores_json(row.result())}};
  return json;
}

Json job_detail_json(const JobNow& job, const std::vector<pb::JobRow>& runs, int64_t reasons,
                     const std::string& event) {
  const pb::JobRow& row = job.row;
  Json json = job_json(job);
  json["task_details"] = Json::array();
  for (const std::string& task : row.request().tasks()) {
    json["task_details"].push_back(task_json(row, task));
  }
  const pb::JobRequest& request = row.request();
  json["num_fewshot"] = request.has_num_fewshot() ? Json(request.num_fewshot()) : Json(nullptr);
  json["coordinator"] = row.coordinator().empty() ? Json(nullptr) : Json(row.coordinator());
  json["machines_at_work"] = job.machines;
  json["seconds"] = row.has_result() ? finite(row.result().seconds()) : Json(nullptr);
  json["failure"] = nullptr;
  if (row.state() == pb::JOB_STATE_FAILED) {
    json["failure"] = {{"text", row.reason()},
                       {"task", nullptr},
                       {"number", nullptr},
                       {"machines", Json::array()}};
  }
  json["command"] = command_of(row);
  json["runs"] = Json::array();
  for (const pb::JobRow& run : runs) {
    json["runs"].push_back({{"run", run.run()},
                            {"state", run.run() == row.run() ? job_state(row) : job_state(run)},
                            {"accepted_at_ms", run.accepted_at_ms()}});
  }
  json["reasons"] = reasons;
  json["can_cancel"] = false;
  json["event"] = event;
  return json;
}

std::string command_of(const pb::JobRow& row) {
  const pb::JobRequest& request = row.request();
  std::string tasks;
  for (const std::string& task : request.tasks()) tasks += (tasks.empty() ? "" : ",") + task;
  std::string command =
      "muster run --llm_name " + shell_word(request.model()) + " --tasks " + shell_word(tasks);
  if (request.has_limit()) command += " --limit " + limit_text(request.limit());
  if (request.has_num_fewshot()) {
    command += " --num_fewshot " + std::to_string(request.num_fewshot());
  }
  if (request.adaptive()) return command + " --redundancy auto";
  return request.redundancy() == kVotesUnlessAsked
             ? command
             : command + " --redundancy " + std::to_string(request.redundancy());
}

Json job_event(const JobNow& job) {
  const pb::JobRow& row = job.row;
  return {{"job", row.job()},
          {"run", row.run()},
          {"state", job_state(row)},
          {"reason", row.reason()},
          {"settled", row.settled_items()},
          {"total", total_of(row)},
          {"disagreed", nullptr},
          {"items_per_s", items_per_s(job)},
          {"seconds_left", seconds_left(job)},
          {"machines_at_work", job.machines},
          {"ended_at_ms", ended_ms(row)}};
}

Json result_event(uint64_t revision, const pb::JobRow& row) {
  return {{"revision", revision},
          {"job", job_ref_json(row)},
          {"scores", main_scores_json(row.result())}};
}

}  // namespace muster::web
