#include "io/database/postgres_connection.h"

#include <soci/postgresql/soci-postgresql.h>

#include <set>

namespace muster::io {
namespace {

constexpr std::chrono::seconds kPatienceToOpen{10};

// Of every session. Locks: those of a server that was replaced, and hangs, are waited for no
// longer. What is committed is on the disk, whatever the database's default is.
constexpr const char* kSettings[] = {
    "SET client_min_messages = warning",
    "SET lock_timeout = '5s'",
    "SET idle_in_transaction_session_timeout = '30s'",
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')",
};

// Anything but another muster's own migration.
constexpr const char* kLockMigrations = "SELECT pg_advisory_xact_lock(7246)";

// The first two of five characters, by the standard; "00" of what no database has said, and none
// where SOCI has not had an answer.
std::string class_of(const std::exception& error) {
  if (const auto* known = dynamic_cast<const soci::postgresql_soci_error*>(&error)) {
    return known->sqlstate().substr(0, 2);
  }
  return dynamic_cast<const soci::soci_error*>(&error) != nullptr ? "" : "00";
}

// None while it is closed.
PGconn* session_of(soci::session& sql) {
  auto* backend = static_cast<soci::postgresql_session_backend*>(sql.get_backend());
  return backend == nullptr ? nullptr : backend->conn_;
}

}  // namespace

Status PostgresConnection::open() {
  try {
    sql_.close();
    sql_.open(soci::postgresql, address_.options());
    PQsetNoticeProcessor(
        session_of(sql_), [](void*, const char*) {}, nullptr);
    within(kPatienceToOpen, [&] {
      for (const char* setting : kSettings) sql_ << setting;
    });
    return {};
  } catch (const std::exception& error) {
    return fail(Code::kUnavailable, name() + ": " + reason_of(error));
  }
}

void PostgresConnection::begin_migration() {
  begin();
  sql_ << kLockMigrations;
}

// Without the lock a twin could take the pool over between this and the end of the transaction.
Fence PostgresConnection::fence() {
  Fence fence;
  sql_ << "SELECT pool_epoch, CAST(pg_current_xact_id() AS TEXT) FROM pool FOR SHARE",
      soci::into(fence.epoch), soci::into(fence.transaction);
  return fence;
}

// Connection exceptions (08), operator intervention (57), system errors (58, XX), and silence.
bool PostgresConnection::is_lost(const std::exception& error) const {
  static const std::set<std::string> kLost{"", "  ", "08", "57", "58", "XX"};
  return kLost.contains(class_of(error));
}

// Transactions that were in each other's way (40), resources that are lacking (53), locks (55).
bool PostgresConnection::passes(const std::exception& error) const {
  static const std::set<std::string> kPasses{"40", "53", "55"};
  return is_lost(error) || kPasses.contains(class_of(error));
}

bool PostgresConnection::may_be_done(const std::exception& error) const { return is_lost(error); }

roles::Outcome PostgresConnection::outcome(const std::string& transaction) {
  std::string state;
  soci::indicator known = soci::i_null;
  sql_ << "SELECT pg_xact_status(CAST(:transaction AS xid8))", soci::use(transaction),
      soci::into(state, known);
  if (known != soci::i_ok) return roles::Outcome::kUnknown;
  if (state == "committed") return roles::Outcome::kDone;
  return state == "aborted" ? roles::Outcome::kFailed : roles::Outcome::kUnknown;
}

void PostgresConnection::within(std::chrono::milliseconds patience,
                                const std::function<void()>& work) {
  const Watchdog::Watch watch(watchdog_, socket(), patience);
  work();
}

int PostgresConnection::socket() {
  PGconn* const session = session_of(sql_);
  return session == nullptr ? -1 : PQsocket(session);
}

}  // namespace muster::io
