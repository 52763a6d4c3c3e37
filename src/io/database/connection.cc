#include "io/database/connection.h"

#include "base/printable.h"
#include "io/database/postgres_connection.h"
#include "io/database/sqlite_connection.h"

namespace muster::io {

std::unique_ptr<Connection> Connection::to(const DatabaseAddress& address) {
  if (address.is_postgres()) return std::make_unique<PostgresConnection>(address);
  return std::make_unique<SqliteConnection>(address.file());
}

Transaction::Transaction(Connection& connection, Kind kind) : sql_(connection.session()) {
  if (kind == Kind::kWrite) connection.begin();
  if (kind == Kind::kMigration) connection.begin_migration();
  if (kind == Kind::kSnapshot) connection.begin_snapshot();
}

Transaction::~Transaction() {
  if (is_over_) return;
  try {
    sql_ << "ROLLBACK";
  } catch (const std::exception&) {
    is_over_ = true;  // With its connection it has ended anyway.
  }
}

void Transaction::commit() {
  is_over_ = true;
  sql_ << "COMMIT";
}

std::string reason_of(const std::exception& error) {
  const auto* known = dynamic_cast<const soci::soci_error*>(&error);
  return printable(known != nullptr ? known->get_error_message() : error.what());
}

}  // namespace muster::io
