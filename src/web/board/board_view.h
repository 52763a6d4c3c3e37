#pragma once

#include <optional>
#include <string>
#include <vector>

#include "web/board/board.h"

namespace muster::web {

// What of the board is looked at.
struct BoardQuery {
  std::vector<ColumnKey> columns;  // At least one: rows are sorted by the first.
  std::string text;                // In the model's name, whatever the case of its letters.
  bool with_partial = false;       // Parts of a benchmark, where there is no full run.
};

// A row of it. `cells`: one a column; null: never run.
struct BoardRow {
  const Board::Row* row = nullptr;
  std::vector<const Cell*> cells;
};

// The rows that fit, the best first: by the lower end of the first column's interval, or by its
// value where there is none; those without a value there come last, by name. They are the board's,
// as long as it does not change.
std::vector<BoardRow> rows_of(const Board& board, const BoardQuery& query);

// The column that stands for a task: of its first metric, asked with its own number of examples,
// else with the number that most models were asked with.
ColumnKey main_column(const Board& board, const std::string& task);
// Of the tasks that most models have run; of those that there are, on an empty board.
std::vector<std::string> usual_tasks(const Board& board, size_t most);
// Whether the pool runs it, or has.
bool is_task(const Board& board, const std::string& task);

}  // namespace muster::web
