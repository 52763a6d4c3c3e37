#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace muster::io {

// Where a server's database is: a file, which is SQLite's, or postgresql://USER@HOST:PORT/NAME and
// whatever else PostgreSQL's libraries understand behind that.
class DatabaseAddress {
 public:
  static DatabaseAddress of_file(Path file);
  // kInvalidArgument says what is wrong, without the address: it may have a password in it.
  static Result<DatabaseAddress> parse(const std::string& text);

  [[nodiscard]] bool is_postgres() const { return !options_.empty(); }
  [[nodiscard]] const Path& file() const { return file_; }
  // As PQconnectdb() takes them, with muster's own where the address has none: a time-out of 3 s,
  // dead peers noticed within 20.
  [[nodiscard]] const std::string& options() const { return options_; }
  // For people, and as psql takes it, but for the password.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  DatabaseAddress() = default;
  Path file_;
  std::string options_, text_;
};

}  // namespace muster::io
