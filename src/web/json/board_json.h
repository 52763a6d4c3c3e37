#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "web/board/board_view.h"

namespace muster::web {

Json model_json(const Board::Row& row);
Json cell_json(const Cell& cell);
// `shown`: the rows whose cells of this column, its number `index`, are drawn on one axis.
Json column_json(Board& board, const ColumnKey& column, const std::vector<BoardRow>& shown,
                 size_t index);
// Ranked in this column.
Json board_row_json(Board& board, const ColumnKey& column, const BoardRow& row);

// A line a row, all columns, full digits; text that a spreadsheet would take for a formula has a '
// in front of it.
std::string board_csv(Board& board, const BoardQuery& query, size_t most_rows);

}  // namespace muster::web
