#include "web/board/board_view.h"

#include <algorithm>
#include <map>

#include "eval/metric.h"
#include "eval/task.h"

namespace muster::web {
namespace {

std::string lower(const std::string& text) {
  std::string out = text;
  for (char& letter : out) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter | 0x20);
  }
  return out;
}

const Cell* cell_of(const Board::Row& row, const ColumnKey& column, bool with_partial) {
  const auto full = row.full.find(column);
  if (full != row.full.end()) return &full->second;
  const auto partial = with_partial ? row.partial.find(column) : row.partial.end();
  return partial == row.partial.end() ? nullptr : &partial->second;
}

bool is_better(const BoardRow& a, const BoardRow& b) {
  const Cell *of_a = a.cells.front(), *of_b = b.cells.front();
  if ((of_a == nullptr) != (of_b == nullptr)) return of_a != nullptr;
  if (of_a != nullptr) {
    const auto lowest = [](const Cell& cell) {
      return cell.interval ? cell.interval->wide.low : cell.value;
    };
    if (lowest(*of_a) != lowest(*of_b)) return lowest(*of_a) > lowest(*of_b);
    if (of_a->value != of_b->value) return of_a->value > of_b->value;
  }
  return a.row->model < b.row->model;
}

}  // namespace

std::vector<BoardRow> rows_of(const Board& board, const BoardQuery& query) {
  const std::string text = lower(query.text);
  std::vector<BoardRow> rows;
  for (const auto& [model, row] : board.rows()) {
    if (!text.empty() && lower(model.name).find(text) == std::string::npos) continue;
    BoardRow shown{.row = &row};
    for (const ColumnKey& column : query.columns) {
      shown.cells.push_back(cell_of(row, column, query.with_partial));
    }
    const bool has_any = std::any_of(shown.cells.begin(), shown.cells.end(),
                                     [](const Cell* cell) { return cell != nullptr; });
    if (has_any) rows.push_back(std::move(shown));
  }
  std::sort(rows.begin(), rows.end(), is_better);
  return rows;
}

ColumnKey main_column(const Board& board, const std::string& task) {
  const auto known = eval::find_task(task);
  ColumnKey own{task, eval::metric_names().front(),
                known ? static_cast<int32_t>((*known)->default_fewshot) : 0};
  if (board.columns().contains(own)) return own;
  int64_t most = 0;
  ColumnKey found = own;
  for (const auto& [column, models] : board.columns()) {
    if (column.task != task || models <= most) continue;
    most = models;
    found = column;
  }
  return found;
}

std::vector<std::string> usual_tasks(const Board& board, size_t most) {
  std::map<std::string, int64_t> models;
  for (const auto& [column, count] : board.columns()) {
    models[column.task] = std::max(models[column.task], count);
  }
  for (const eval::Task& task : eval::tasks()) models.try_emplace(task.name, 0);
  std::vector<std::string> tasks;
  for (const auto& [task, count] : models) tasks.push_back(task);
  std::stable_sort(tasks.begin(), tasks.end(), [&](const std::string& a, const std::string& b) {
    return models.at(a) > models.at(b);
  });
  tasks.resize(std::min(tasks.size(), most));
  return tasks;
}

bool is_task(const Board& board, const std::string& task) {
  return eval::find_task(task).has_value() ||
         std::any_of(board.columns().begin(), board.columns().end(),
                     [&](const auto& column) { return column.first.task == task; });
}

}  // namespace muster::web
