#include "cli/results.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/printable.h"
#include "cli/table.h"
#include "eval/task.h"

namespace muster::cli {
namespace {

constexpr size_t kMostModelWords = 2000;  // Bytes.
constexpr size_t kLongestName = 200;

std::string fixed4(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

// A number as Python prints a float that may be whole: 0.0 as "0" in a table.
std::string version_cell(const std::string& version) {
  return version.ends_with(".0") ? version.substr(0, version.size() - 2) : version;
}

// Zero for a word: a version comes from the pool.
double version_number(const std::string& version) { return std::strtod(version.c_str(), nullptr); }

std::string metric_label(const std::string& name) {
  return name == "acc_norm_raw" ? "acc_norm (raw)" : name;
}

// "2" when every item has the votes it wants; else how many have fewer.
std::string votes_cell(const pb::TaskResult& task) {
  if (task.items_below() == 0) return std::to_string(task.wanted_votes());
  return std::to_string(task.least_votes()) + " (" + std::to_string(task.items_below()) + " of " +
         std::to_string(task.items()) + " items below " + std::to_string(task.wanted_votes()) + ")";
}

// Numeric classes by letters, since their names are 50 characters long; each stands for the name
// that the line below the table says.
class ClassLetters {
 public:
  std::string cell(const pb::TaskResult& task) {
    std::string text;
    for (const std::string& name : task.numeric_classes()) {
      text += (text.empty() ? "" : ", ") + letter_of(name);
    }
    return text;
  }
  // "class A: approximate-float32-avx2-...", a line each, below an empty one.
  [[nodiscard]] std::string legend() const {
    std::string text;
    for (size_t i = 0; i < names_.size(); ++i) {
      text += "class " + letter(i) + ": " + printable(names_[i], kLongestName) + "\n";
    }
    return text.empty() ? "" : "\n" + text;
  }

 private:
  // A to Z, then by number.
  static std::string letter(size_t i) {
    return i < 26 ? std::string(1, static_cast<char>('A' + i)) : std::to_string(i + 1);
  }
  std::string letter_of(const std::string& name) {
    auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) found = names_.insert(names_.end(), name);
    return letter(static_cast<size_t>(found - names_.begin()));
  }

  std::vector<std::string> names_;
};

std::string model_args(const pb::JobRow& row) {
  const pb::ModelPin& model = row.model();
  std::string args = "pretrained=" + (model.path().empty() ? model.name() : model.path());
  if (model.path().empty()) args += ",revision=" + model.commit();
  return args + ",dtype=" + model.dtype();
}

std::string number_or_none(bool there, double value) {
  if (!there) return "None";
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

std::string sanitized(const std::string& name) {
  std::string out;
  for (char c : name) {
    const bool bad = std::string_view("<>:\"/\\|?*[]").find(c) != std::string_view::npos;
    if (!bad) {
      out += c;
    } else if (!out.ends_with("__") || out.empty()) {
      out += "__";
    }
  }
  return out;
}

// Local time as Python's isoformat() with ":" replaced: 2026-11-23T17-20-01.123456.
std::string time_stamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t whole = std::chrono::system_clock::to_time_t(now);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(
                          now - std::chrono::system_clock::from_time_t(whole))
                          .count();
  std::tm local{};
  localtime_r(&whole, &local);
  char text[64], all[80];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H-%M-%S", &local);
  std::snprintf(all, sizeof all, "%s.%06ld", text, static_cast<long>(micros));
  return all;
}

Json task_results(const pb::TaskResult& task) {
  Json entry{{"alias", task.task()}, {"sample_len", task.items()}};
  for (const auto& metric : task.metrics()) {
    entry[metric.name() + ",none"] = metric.value();
    Json& error = entry[metric.name() + "_stderr,none"];
    metric.has_stderr() ? void(error = metric.stderr()) : void(error = "N/A");
  }
  return entry;
}

Json task_config(const pb::TaskResult& task) {
  Json metrics = Json::array();
  for (const auto& metric : task.metrics()) {
    metrics.push_back(
        {{"metric", metric.name()}, {"aggregation", "mean"}, {"higher_is_better", true}});
  }
  Json config{{"task", task.task()}};
  if (const auto known = eval::find_task(task.task())) {
    config["dataset_path"] = (*known)->dataset_path;
    config["test_split"] = (*known)->split;
  }
  config["num_fewshot"] = task.num_fewshot();
  config["metric_list"] = std::move(metrics);
  config["output_type"] = "multiple_choice";
  config["repeats"] = 1;
  config["metadata"] = {{"version", version_number(task.version())}};
  return config;
}

Json run_config(const pb::JobRow& row) {
  const pb::JobRequest& request = row.request();
  Json config{{"model", "hf"},
              {"model_args", model_args(row)},
              {"model_num_parameters", row.model().parameters()},
              {"model_dtype", row.model().dtype()},
              {"model_revision", row.model().path().empty() ? row.model().commit() : "main"},
              {"model_sha", row.model().commit()},
              {"batch_size", 1}};
  request.has_limit() ? void(config["limit"] = request.limit()) : void(config["limit"] = nullptr);
  config["bootstrap_iters"] = 100000;
  config["random_seed"] = 0;
  for (const char* seed : {"numpy_seed", "torch_seed", "fewshot_seed"}) config[seed] = 1234;
  return config;
}

Json about_muster(const pb::JobRow& row) {
  Json votes = Json::object(), references = Json::object();
  for (const auto& task : row.result().tasks()) {
    references[task.task()] = Json::array();
    for (const std::string& name : task.numeric_classes()) references[task.task()].push_back(name);
    votes[task.task()] = {{"wanted", task.wanted_votes()},
                          {"least", task.least_votes()},
                          {"items_below", task.items_below()}};
  }
  Json classes = Json::array();
  for (const std::string& name : row.result().numeric_classes()) classes.push_back(name);
  return {
      {"version", MUSTER_VERSION},
      {"job", row.job()},
      {"run", row.run()},
      {"votes", std::move(votes)},
      {"redundancy", row.request().adaptive() ? Json("auto") : Json(row.request().redundancy())},
      {"reference_classes", std::move(references)},
      {"classes", std::move(classes)}};
}

}  // namespace

std::string results_table(const pb::JobRow& row) {
  using Align = Table::Align;
  Table table({{"Tasks"},
               {"Version", Align::kRight},
               {"Filter"},
               {"n-shot", Align::kRight},
               {"Metric"},
               {""},
               {"Value", Align::kRight},
               {""},
               {"Stderr", Align::kRight},
               {"votes", Align::kRight},
               {"class"}});
  ClassLetters letters;
  for (const auto& task : row.result().tasks()) {
    const std::string classes = letters.cell(task);
    bool first = true;
    for (const auto& metric : task.metrics()) {
      table.add_row({first ? task.task() : "", first ? version_cell(task.version()) : "", "none",
                     std::to_string(task.num_fewshot()), metric_label(metric.name()), "↑",
                     fixed4(metric.value()), "±",
                     metric.has_stderr() ? fixed4(metric.stderr()) : "N/A", votes_cell(task),
                     classes});
      first = false;
    }
  }
  const pb::JobRequest& request = row.request();
  return "hf (" + printable(model_args(row), kMostModelWords) +
         "), limit: " + number_or_none(request.has_limit(), request.limit()) +
         ", num_fewshot: " + number_or_none(request.has_num_fewshot(), request.num_fewshot()) +
         "\n" + table.text() + letters.legend();
}

Json results_json(const pb::JobRow& row) {
  Json out;
  for (const char* key : {"results", "group_subtasks", "configs", "versions", "n-shot",
                          "higher_is_better", "n-samples"}) {
    out[key] = Json::object();
  }
  for (const auto& task : row.result().tasks()) {
    const std::string& name = task.task();
    out["results"][name] = task_results(task);
    out["configs"][name] = task_config(task);
    out["versions"][name] = version_number(task.version());
    out["n-shot"][name] = task.num_fewshot();
    for (const auto& metric : task.metrics()) out["higher_is_better"][name][metric.name()] = true;
    out["n-samples"][name] = {{"original", task.documents()}, {"effective", task.items()}};
  }
  out["config"] = run_config(row);
  out["git_hash"] = nullptr;
  out["date"] = static_cast<double>(row.accepted_at_ms()) / 1000.0;
  out["model_source"] = "hf";
  out["model_name"] = row.model().name();
  out["model_name_sanitized"] = sanitized(row.model().name());
  out["total_evaluation_time_seconds"] = std::to_string(row.result().seconds());
  out["muster"] = about_muster(row);
  return out;
}

Result<Path> write_results(const pb::JobRow& row, const Path& output_path) {
  const Path folder = output_path / sanitized(row.model().name());
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Code::kDisk, folder.string() + ": " + error.message());
  Path path = folder / ("results_" + time_stamp() + ".json");
  MUSTER_TRY_STATUS(
      write_file_atomically(path, results_json(row).dump(2) + "\n", FileAccess::kUmask));
  return path;
}

}  // namespace muster::cli
