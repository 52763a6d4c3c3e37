#pragma once

#include "io/database/connection.h"
#include "io/database/watchdog.h"

namespace muster::io {

// A session at a PostgreSQL server.
//
// Its words for a lost connection are the same whether a COMMIT arrived or not, so a transaction is
// asked after by its id. Whatever statement fails ends its transaction: a COMMIT would say that all
// is well, and store nothing.
class PostgresConnection final : public Connection {
 public:
  explicit PostgresConnection(const DatabaseAddress& address) : address_(address) {}

  Status open() override;
  void begin_migration() override;
  void begin() override { sql_ << "BEGIN"; }
  void begin_snapshot() override { sql_ << "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"; }
  Fence fence() override;
  [[nodiscard]] bool is_lost(const std::exception& error) const override;
  [[nodiscard]] bool passes(const std::exception& error) const override;
  [[nodiscard]] bool may_be_done(const std::exception& error) const override;
  [[nodiscard]] roles::Outcome outcome(const std::string& transaction) override;
  void within(std::chrono::milliseconds patience, const std::function<void()>& work) override;
  [[nodiscard]] std::string name() const override { return address_.text(); }
  [[nodiscard]] std::string command_for(const std::string& statement) const override {
    return "psql " + address_.text() + " -c \"" + statement + "\"";
  }

 private:
  [[nodiscard]] int socket();

  DatabaseAddress address_;
  Watchdog watchdog_;
};

}  // namespace muster::io
