#include "web/board/board.h"

#include <cmath>

#include "eval/statistics/coverage.h"
#include "eval/statistics/normal_interval.h"
#include "eval/statistics/wilson_interval.h"

namespace muster::web {
namespace {

bool is_newer(const Cell& cell, const Cell& than) {
  return std::tie(cell.ended_ms, cell.job, cell.run) > std::tie(than.ended_ms, than.job, than.run);
}

Cell cell_of(const pb::JobRow& row, const pb::TaskResult& task, const pb::Metric& metric) {
  Cell cell{.job = row.job(),
            .run = row.run(),
            .ended_ms = row.ended_at_ms(),
            .value = metric.value(),
            .interval = interval_of(metric.name(), metric, task.items()),
            .items = task.items(),
            .documents = task.documents(),
            .items_below = task.items_below(),
            .votes = task.least_votes(),
            .wanted = task.wanted_votes(),
            .classes = {task.numeric_classes().begin(), task.numeric_classes().end()},
            .note = task.note(),
            .researcher = row.researcher()};
  if (metric.has_stderr() && std::isfinite(metric.stderr())) cell.stderr_value = metric.stderr();
  return cell;
}

}  // namespace

bool is_proportion(const std::string& metric) { return metric.starts_with("acc"); }

std::optional<ScoreInterval> interval_of(const std::string& metric, const pb::Metric& value,
                                         int64_t items) {
  const double score = value.value();
  if (!std::isfinite(score)) return std::nullopt;
  if (is_proportion(metric) && items > 0 && score >= 0 && score <= 1) {
    const int64_t right = std::llround(score * static_cast<double>(items));
    return ScoreInterval{eval::wilson_interval(right, items, eval::kCoverage95.z),
                         eval::wilson_interval(right, items, eval::kCoverage50.z), true};
  }
  if (!value.has_stderr() || !std::isfinite(value.stderr()) || value.stderr() < 0) {
    return std::nullopt;
  }
  return ScoreInterval{eval::normal_interval(score, value.stderr(), eval::kCoverage95.z),
                       eval::normal_interval(score, value.stderr(), eval::kCoverage50.z), false};
}

void Board::add(const pb::JobRow& job) {
  const pb::ModelPin& pin = job.model();
  Row& row = rows_[{pin.name(), pin.commit(), pin.dtype()}];
  row.model = {pin.name(), pin.commit(), pin.dtype()};
  row.parameters = pin.parameters();
  row.is_directory = !pin.path().empty();
  for (const pb::TaskResult& task : job.result().tasks()) {
    for (const pb::Metric& metric : task.metrics()) {
      if (!std::isfinite(metric.value())) continue;
      put(row, {task.task(), metric.name(), task.num_fewshot()}, cell_of(job, task, metric));
    }
  }
}

void Board::put(Row& row, const ColumnKey& column, Cell cell) {
  const bool is_partial = cell.is_partial();
  if (is_partial && row.full.contains(column)) return;
  auto& cells = is_partial ? row.partial : row.full;
  const auto [at, is_new] = cells.try_emplace(column, cell);
  if (!is_new && !is_newer(cell, at->second)) return;
  at->second = std::move(cell);
  ++revision_;
  if (is_partial) return;
  row.partial.erase(column);
  if (is_new) ++columns_[column];
}

const Board::Ranks& Board::ranks(const ColumnKey& column) {
  Ranks& ranks = ranks_[column];
  if (ranks.revision == revision_) return ranks;
  std::vector<const ModelKey*> models;
  std::vector<std::optional<eval::Interval>> intervals;
  for (const auto& [model, row] : rows_) {
    const auto cell = row.full.find(column);
    if (cell == row.full.end()) continue;
    models.push_back(&model);
    const auto& interval = cell->second.interval;
    intervals.push_back(interval ? std::optional(interval->wide) : std::nullopt);
  }
  const auto ranges = eval::rank_ranges(intervals, eval::BetterIs::kHigher);
  ranks = {.revision = revision_};
  for (size_t i = 0; i < models.size(); ++i) {
    if (ranges[i]) ranks.ranges.emplace(*models[i], *ranges[i]);
  }
  return ranks;
}

std::optional<eval::RankRange> Board::rank(const ColumnKey& column, const ModelKey& model) {
  const auto& ranges = ranks(column).ranges;
  const auto found = ranges.find(model);
  return found == ranges.end() ? std::nullopt : std::optional(found->second);
}

std::optional<eval::RankRange> Board::rank(const ColumnKey& column, const pb::JobRow& job) {
  const ModelKey model{job.model().name(), job.model().commit(), job.model().dtype()};
  const auto row = rows_.find(model);
  if (row == rows_.end()) return std::nullopt;
  const auto cell = row->second.full.find(column);
  const bool is_its = cell != row->second.full.end() && cell->second.job == job.job() &&
                      cell->second.run == job.run();
  return is_its ? rank(column, model) : std::nullopt;
}

int64_t Board::ranked(const ColumnKey& column) {
  return static_cast<int64_t>(ranks(column).ranges.size());
}

}  // namespace muster::web
