#include "io/database/schema.h"

#include <iterator>
#include <stdexcept>
#include <string>

#include "io/database/message_text.h"
#include "io/database/rows.h"

namespace muster::io {
namespace {

constexpr const char* kVersion[] = {
    "CREATE TABLE IF NOT EXISTS schema_version (id INTEGER PRIMARY KEY, version BIGINT NOT NULL)",
    "INSERT INTO schema_version (id, version) VALUES (1, 0) ON CONFLICT (id) DO NOTHING",
};

// As they were before they were counted, so they may be there.
constexpr const char* kFirst[] = {
    "CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL, "
    "view_number BIGINT NOT NULL, view TEXT NOT NULL)",
    "INSERT INTO pool (id, epoch, view_number, view) VALUES (1, 0, 0, '') "
    "ON CONFLICT (id) DO NOTHING",
    "CREATE TABLE IF NOT EXISTS job (job TEXT NOT NULL, run BIGINT NOT NULL, "
    "epoch BIGINT NOT NULL, state BIGINT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (job, run))",
    "CREATE TABLE IF NOT EXISTS machine (machine TEXT PRIMARY KEY, quarantined BIGINT NOT NULL, "
    "row TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reason (job TEXT NOT NULL, run BIGINT NOT NULL, "
    "number BIGINT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (job, run, number))",
    "CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, row TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, counted_ms BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY, row TEXT NOT NULL)",
};

// A server before this one finds no `epoch` and says so, instead of beginning a pool beside it.
constexpr const char* kSecond[] = {
    "ALTER TABLE pool RENAME COLUMN epoch TO pool_epoch",
    "CREATE TABLE jobs (job TEXT NOT NULL, run BIGINT NOT NULL, epoch BIGINT NOT NULL, "
    "state TEXT NOT NULL, researcher TEXT NOT NULL, model TEXT NOT NULL, "
    "commit_sha TEXT NOT NULL, tasks TEXT NOT NULL, reason TEXT NOT NULL, settled BIGINT NOT NULL, "
    "total BIGINT NOT NULL, accepted_ms BIGINT NOT NULL, ended_ms BIGINT NOT NULL, "
    "row TEXT NOT NULL, PRIMARY KEY (job, run))",
    "CREATE TABLE results (job TEXT NOT NULL, run BIGINT NOT NULL, task TEXT NOT NULL, "
    "metric TEXT NOT NULL, version TEXT NOT NULL, shots BIGINT NOT NULL, "
    "value DOUBLE PRECISION NOT NULL, stderr DOUBLE PRECISION, n BIGINT NOT NULL, "
    "documents BIGINT NOT NULL, votes BIGINT NOT NULL, wanted BIGINT NOT NULL, "
    "items_below BIGINT NOT NULL, note TEXT NOT NULL, PRIMARY KEY (job, run, task, metric))",
    "CREATE TABLE machines (machine TEXT PRIMARY KEY, agreed BIGINT NOT NULL, "
    "strikes BIGINT NOT NULL, quarantined SMALLINT NOT NULL, refused BIGINT NOT NULL, "
    "refusal TEXT NOT NULL, drained_ms BIGINT NOT NULL, removed_ms BIGINT NOT NULL, row TEXT NOT "
    "NULL)",
    "CREATE TABLE reasons (job TEXT NOT NULL, run BIGINT NOT NULL, number BIGINT NOT NULL, "
    "machine TEXT NOT NULL, text TEXT NOT NULL, at_ms BIGINT NOT NULL, times BIGINT NOT NULL, "
    "row TEXT NOT NULL, PRIMARY KEY (job, run, number))",
    "CREATE TABLE join_tokens (token TEXT PRIMARY KEY, token_hash TEXT NOT NULL, "
    "role TEXT NOT NULL, owner TEXT NOT NULL, uses BIGINT NOT NULL, used BIGINT NOT NULL, "
    "created_ms BIGINT NOT NULL, expires_ms BIGINT NOT NULL, revoked_ms BIGINT NOT NULL, "
    "created_by TEXT NOT NULL, row TEXT NOT NULL)",
    "CREATE TABLE authority (id INTEGER PRIMARY KEY, certificate TEXT NOT NULL, "
    "sealed_key TEXT NOT NULL)",
    "CREATE INDEX jobs_accepted ON jobs (accepted_ms, job, run)",
    "CREATE INDEX jobs_ended ON jobs (ended_ms, job, run)",
    "CREATE INDEX jobs_state ON jobs (state, accepted_ms, job, run)",
    "CREATE INDEX jobs_researcher ON jobs (researcher, accepted_ms, job, run)",
    "CREATE INDEX jobs_model ON jobs (model, accepted_ms)",
    "CREATE INDEX reasons_machine ON reasons (machine, at_ms)",
    "CREATE INDEX reasons_at ON reasons (at_ms)",
};
constexpr const char* kSecondIsDone[] = {
    "DROP TABLE job",
    "DROP TABLE machine",
    "DROP TABLE reason",
    "DROP TABLE token",
};

// Messages of a table before, written as they are now. One that cannot be read would be lost.
template <typename Message>
void move_rows(soci::session& sql, const std::string& table, const std::string& column) {
  soci::rowset<std::string> texts = (sql.prepare << "SELECT " + column + " FROM " + table);
  for (const std::string& text : texts) {
    Message message;
    if (!from_text(text, message)) {
      throw std::runtime_error("a row of table " + table +
                               " cannot be read: " + text.substr(0, 60));
    }
    write_row(sql, message);
  }
}

void first(Connection& connection) {
  for (const char* statement : kFirst) connection.session() << statement;
}

void second(Connection& connection) {
  soci::session& sql = connection.session();
  for (const char* statement : kSecond) sql << statement;
  move_rows<pb::JobRow>(sql, "job", "row");
  move_rows<pb::MachineRow>(sql, "machine", "row");
  move_rows<pb::Reason>(sql, "reason", "reason");
  move_rows<pb::TokenRow>(sql, "token", "row");
  for (const char* statement : kSecondIsDone) sql << statement;
}

using Migration = void (*)(Connection&);
constexpr Migration kMigrations[] = {first, second};
static_assert(std::size(kMigrations) == kSchema);

Status bring_up(Connection& connection) {
  Transaction transaction(connection, Transaction::Kind::kMigration);
  MUSTER_TRY_STATUS(migrate(connection, kSchema));
  MUSTER_TRY_STATUS(connection.still_there());
  transaction.commit();
  return {};
}

}  // namespace

Status migrate(Connection& connection, long long version) {
  soci::session& sql = connection.session();
  for (const char* statement : kVersion) sql << statement;
  long long there = 0;
  sql << "SELECT version FROM schema_version", soci::into(there);
  if (there > kSchema) {
    return fail(Code::kUnsupported, connection.name() + " was written by a newer muster (schema " +
                                        std::to_string(there) + ", and this one knows " +
                                        std::to_string(kSchema) +
                                        "): start that one, or upgrade this one");
  }
  for (; there < version; ++there) {
    kMigrations[there](connection);
    sql << "UPDATE schema_version SET version = version + 1";
  }
  return {};
}

Status bring_up_to_date(Connection& connection) {
  try {
    return bring_up(connection);
  } catch (const std::exception& error) {
    return fail(connection.passes(error) ? Code::kUnavailable : Code::kDisk,
                connection.name() +
                    ": its tables could not be brought up to date, and are as "
                    "they were: " +
                    reason_of(error));
  }
}

}  // namespace muster::io
