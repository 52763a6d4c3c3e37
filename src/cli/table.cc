#include "cli/table.h"

#include <algorithm>

#include "base/check.h"
#include "base/printable.h"
#include "eval/text.h"

namespace muster::cli {
namespace {

size_t width_of(const std::string& text) { return static_cast<size_t>(eval::length(text)); }

std::string padded(const std::string& text, size_t left, size_t right) {
  return std::string(left, ' ') + text + std::string(right, ' ');
}

std::string aligned(const std::string& text, size_t width, Table::Align align) {
  const size_t space = width - width_of(text);
  return align == Table::Align::kRight ? padded(text, space, 0) : padded(text, 0, space);
}

std::string centred(const std::string& text, size_t width) {
  const size_t space = width - width_of(text);
  return padded(text, space / 2, space - space / 2);
}

}  // namespace

void Table::add_row(std::vector<std::string> cells) {
  MUSTER_CHECK(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::string Table::text() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = std::max<size_t>(3, width_of(columns_[c].header));
    for (const auto& row : rows_) width = std::max(width, width_of(row[c]));
    widths.push_back(width);
  }
  std::string header = "|", rule = "|", body;
  for (size_t c = 0; c < columns_.size(); ++c) {
    header += centred(columns_[c].header, widths[c]) + "|";
    const bool right = columns_[c].align == Align::kRight;
    rule += std::string(widths[c] - (right ? 1 : 0), '-') + (right ? ":|" : "|");
  }
  for (const auto& row : rows_) {
    body += '|';
    for (size_t c = 0; c < columns_.size(); ++c) {
      body += aligned(row[c], widths[c], columns_[c].align) + "|";
    }
    body += '\n';
  }
  return header + "\n" + rule + "\n" + body;
}

}  // namespace muster::cli
