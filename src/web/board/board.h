#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "eval/statistics/rank_range.h"
#include "wire/pb.h"

namespace muster::web {

// Two-sided intervals of a value, and where they come from.
struct ScoreInterval {
  eval::Interval wide, narrow;  // That hold the true value in 95 % and in 50 % of all samples.
  bool is_wilson = false;       // Else value -+ z * stderr.

  bool operator==(const ScoreInterval&) const = default;
};

// What is comparable: values of one metric of a task, asked with as many examples.
struct ColumnKey {
  std::string task, metric;
  int32_t shots = 0;

  auto operator<=>(const ColumnKey&) const = default;
};

// Weights, exactly, and the numbers they were computed in.
struct ModelKey {
  std::string name, commit, dtype;

  auto operator<=>(const ModelKey&) const = default;
};

// A value, with what one has to know of it.
struct Cell {
  std::string job;
  uint32_t run = 0;
  int64_t ended_ms = 0;  // Unix time.
  double value = 0;      // Finite.
  std::optional<double> stderr_value;
  std::optional<ScoreInterval> interval;
  int64_t items = 0, documents = 0, items_below = 0;
  uint32_t votes = 0, wanted = 0;
  std::vector<std::string> classes;
  std::string note, researcher;

  // Of a part of the benchmark only: it is shown apart, and has no rank.
  [[nodiscard]] bool is_partial() const { return items < documents; }
};

// acc, acc_norm and the like: a share of items, between 0 and 1.
[[nodiscard]] bool is_proportion(const std::string& metric);
// Wilson's where the value is a share of items, else the normal one, if it has a standard error.
[[nodiscard]] std::optional<ScoreInterval> interval_of(const std::string& metric,
                                                       const pb::Metric& value, int64_t items);

// The scores of all models: of each the newest full run, and the newest part where there is no full
// one. Ranks are over a whole column, whatever is shown of it. Every change has a revision.
//
// A column's ranks cost O(n log n) once after each change. Of one thread at a time.
class Board {
 public:
  struct Row {
    ModelKey model;
    uint64_t parameters = 0;
    bool is_directory = false;
    std::map<ColumnKey, Cell> full, partial;  // `partial` has what `full` has not.
  };

  // A done run; one that was added before changes nothing.
  void add(const pb::JobRow& row);
  [[nodiscard]] uint64_t revision() const { return revision_; }
  [[nodiscard]] const std::map<ModelKey, Row>& rows() const { return rows_; }
  // How many full values each column has.
  [[nodiscard]] const std::map<ColumnKey, int64_t>& columns() const { return columns_; }

  // Of a model in a column; none: it is not ranked there.
  std::optional<eval::RankRange> rank(const ColumnKey& column, const ModelKey& model);
  // Of a run's value, if that is the model's on the board.
  std::optional<eval::RankRange> rank(const ColumnKey& column, const pb::JobRow& row);
  // How many are.
  int64_t ranked(const ColumnKey& column);

 private:
  struct Ranks {
    uint64_t revision = 0;
    std::map<ModelKey, eval::RankRange> ranges;
  };
  const Ranks& ranks(const ColumnKey& column);
  void put(Row& row, const ColumnKey& column, Cell cell);

  uint64_t revision_ = 0;
  std::map<ModelKey, Row> rows_;
  std::map<ColumnKey, int64_t> columns_;
  std::map<ColumnKey, Ranks> ranks_;
};

}  // namespace muster::web
