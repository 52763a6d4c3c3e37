#include "web/json/board_json.h"

#include <algorithm>
#include <limits>

#include "eval/task.h"
#include "web/json/score_json.h"
#include "web/json/task_facts.h"

namespace muster::web {
namespace {

constexpr double kMargin = 0.05;  // Of an axis, at either end.

Json chance_of(const ColumnKey& column) {
  const TaskFacts* facts = task_facts(column.task);
  return facts != nullptr && is_proportion(column.metric) ? Json(facts->chance) : Json(nullptr);
}

Json axis_of(const Json& chance, const std::vector<BoardRow>& shown, size_t index) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  const auto take = [&](double from, double to) {
    low = std::min(low, from);
    high = std::max(high, to);
  };
  for (const BoardRow& row : shown) {
    const Cell* cell = row.cells[index];
    if (cell == nullptr) continue;
    take(cell->value, cell->value);
    if (cell->interval) take(cell->interval->wide.low, cell->interval->wide.high);
  }
  if (low > high) return nullptr;
  if (chance.is_number()) take(chance.get<double>(), chance.get<double>());
  const double margin = std::max(high - low, 1e-9) * kMargin;
  return {{"low", low - margin}, {"high", high + margin}};
}

Json best_of(const Board& board, const ColumnKey& column) {
  const Cell* best = nullptr;
  for (const auto& [model, row] : board.rows()) {
    const auto cell = row.full.find(column);
    if (cell == row.full.end() || !cell->second.interval) continue;
    const bool is_better =
        best == nullptr || cell->second.interval->wide.low > best->interval->wide.low;
    if (is_better) best = &cell->second;
  }
  return best == nullptr ? Json(nullptr) : interval_json(best->interval);
}

int64_t documents_of(const ColumnKey& column, const std::vector<BoardRow>& shown, size_t index) {
  if (const auto known = eval::find_task(column.task)) return (*known)->documents;
  for (const BoardRow& row : shown) {
    if (row.cells[index] != nullptr) return row.cells[index]->documents;
  }
  return 0;
}

// As a cell of a table, RFC 4180; `is_text`: not a number.
std::string csv_cell(const std::string& text, bool is_text) {
  std::string cell = text;
  if (is_text && !cell.empty() &&
      std::string_view("=+-@\t\r").find(cell.front()) != std::string_view::npos) {
    cell.insert(0, 1, '\'');
  }
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string quoted = "\"";
  for (const char letter : cell)
    quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

void add_csv_head(const BoardQuery& query, std::string& text) {
  text += "rank_best,rank_worst,model,commit,dtype,parameters";
  for (const ColumnKey& column : query.columns) {
    const std::string name =
        column.task + " " + column.metric + " " + std::to_string(column.shots) + "-shot";
    for (const char* what : {"value", "stderr", "low", "high", "n", "votes", "votes_wanted",
                             "items_below", "job", "run", "ended_at_ms"}) {
      text += "," + csv_cell(name + " " + what, true);
    }
  }
  text += "\r\n";
}

void add_csv_value(const Json& value, std::string& text) {
  text += ',';
  if (!value.is_null()) text += value.dump();
}

void add_csv_cell(const Cell* cell, std::string& text) {
  if (cell == nullptr) {
    text.append(11, ',');
    return;
  }
  add_csv_value(finite(cell->value), text);
  add_csv_value(cell->stderr_value ? Json(*cell->stderr_value) : Json(nullptr), text);
  add_csv_value(cell->interval ? Json(cell->interval->wide.low) : Json(nullptr), text);
  add_csv_value(cell->interval ? Json(cell->interval->wide.high) : Json(nullptr), text);
  for (const int64_t number :
       {cell->items, int64_t{cell->votes}, int64_t{cell->wanted}, cell->items_below}) {
    add_csv_value(number, text);
  }
  text += "," + csv_cell(cell->job, true);
  add_csv_value(cell->run, text);
  add_csv_value(cell->ended_ms, text);
}

}  // namespace

Json model_json(const Board::Row& row) {
  return {{"name", row.model.name},
          {"commit", row.model.commit},
          {"dtype", row.model.dtype},
          {"parameters", row.parameters > 0 ? Json(row.parameters) : Json(nullptr)},
          {"is_directory", row.is_directory}};
}

Json cell_json(const Cell& cell) {
  return {{"value", finite(cell.value)},
          {"stderr", cell.stderr_value ? Json(*cell.stderr_value) : Json(nullptr)},
          {"interval", interval_json(cell.interval)},
          {"n", cell.items},
          {"partial", cell.is_partial()},
          {"votes", cell.votes},
          {"votes_wanted", cell.wanted},
          {"items_below", cell.items_below},
          {"classes", cell.classes},
          {"job", cell.job},
          {"run", cell.run},
          {"ended_at_ms", cell.ended_ms},
          {"by", nullptr},
          {"note", cell.note}};
}

Json column_json(Board& board, const ColumnKey& column, const std::vector<BoardRow>& shown,
                 size_t index) {
  const Json chance = chance_of(column);
  return {{"task", column.task},
          {"metric", column.metric},
          {"filter", "none"},
          {"shots", column.shots},
          {"higher_is_better", true},
          {"is_proportion", is_proportion(column.metric)},
          {"documents", documents_of(column, shown, index)},
          {"chance", chance},
          {"axis", axis_of(chance, shown, index)},
          {"best", best_of(board, column)},
          {"ranked", board.ranked(column)}};
}

Json board_row_json(Board& board, const ColumnKey& column, const BoardRow& row) {
  Json cells = Json::array();
  for (const Cell* cell : row.cells) {
    cells.push_back(cell == nullptr ? Json(nullptr) : cell_json(*cell));
  }
  const bool is_ranked = row.cells.front() != nullptr && !row.cells.front()->is_partial();
  const auto rank = is_ranked ? board.rank(column, row.row->model) : std::nullopt;
  return {{"model", model_json(*row.row)},
          {"rank", rank_json(rank, board.ranked(column))},
          {"cells", std::move(cells)},
          {"versus", nullptr}};
}

std::string board_csv(Board& board, const BoardQuery& query, size_t most_rows) {
  std::string text;
  add_csv_head(query, text);
  auto rows = rows_of(board, query);
  rows.resize(std::min(rows.size(), most_rows));
  for (const BoardRow& row : rows) {
    const auto rank = board.rank(query.columns.front(), row.row->model);
    if (rank) text += std::to_string(rank->best) + "," + std::to_string(rank->worst);
    if (!rank) text += ',';
    const ModelKey& model = row.row->model;
    for (const std::string* name : {&model.name, &model.commit, &model.dtype}) {
      text += "," + csv_cell(*name, true);
    }
    text += "," + (row.row->parameters > 0 ? std::to_string(row.row->parameters) : "");
    for (const Cell* cell : row.cells) add_csv_cell(cell, text);
    text += "\r\n";
  }
  return text;
}

}  // namespace muster::web
