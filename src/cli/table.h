#pragma once

#include <string>
#include <vector>

namespace muster::cli {

// A Markdown table as lm-eval prints it: no margins, headers centred, numbers to the right.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string header;
    Align align = Align::kLeft;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell per column (checked). Shown as printable() has it, since cells are often others'
  // words.
  void add_row(std::vector<std::string> cells);
  // The table with a newline after each line.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace muster::cli
