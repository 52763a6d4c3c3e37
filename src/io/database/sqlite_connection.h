#pragma once

#include "base/file.h"
#include "io/database/connection.h"
#include "io/file_identity.h"

namespace muster::io {

// One file. Nothing is committed into one that was deleted or moved away under the server.
class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(Path file) : file_(std::move(file)) {}

  Status open() override;
  void begin_migration() override { begin(); }
  // At once the only one that writes: what it reads stays so until it has ended.
  void begin() override { sql_ << "BEGIN IMMEDIATE"; }
  void begin_snapshot() override { sql_ << "BEGIN"; }
  Fence fence() override;
  [[nodiscard]] Status still_there() const override { return identity_.still_there(); }
  [[nodiscard]] bool is_lost(const std::exception&) const override { return false; }
  [[nodiscard]] bool passes(const std::exception&) const override { return false; }
  [[nodiscard]] bool may_be_done(const std::exception&) const override { return true; }
  [[nodiscard]] roles::Outcome outcome(const std::string&) override {
    return roles::Outcome::kUnknown;
  }
  // A disk that hangs is not to be woken.
  void within(std::chrono::milliseconds, const std::function<void()>& work) override { work(); }
  [[nodiscard]] std::string name() const override { return file_.string(); }
  [[nodiscard]] std::string command_for(const std::string& statement) const override {
    return "sqlite3 " + file_.string() + " \"" + statement + "\"";
  }

 private:
  Path file_;
  FileIdentity identity_;
};

}  // namespace muster::io
