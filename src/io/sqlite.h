#pragma once

#include <sqlite3.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::io {

// A prepared statement that finalises itself. Errors are kDisk, or kDataLoss where the file is
// damaged. Columns and parameters count from 0 and 1, as SQLite's do.
class Statement {
 public:
  static Result<Statement> prepare(sqlite3* database, const char* sql);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  void bind(int index, std::string_view blob);
  void bind_text(int index, std::string_view text);
  void bind(int index, int64_t value);
  // true: a row is there. false: done.
  Result<bool> step();
  [[nodiscard]] std::string blob(int column) const;
  [[nodiscard]] int64_t integer(int column) const;

 private:
  Statement(sqlite3* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  sqlite3* database_;
  sqlite3_stmt* statement_;
};

Status execute(sqlite3* database, const char* sql);

}  // namespace muster::io
