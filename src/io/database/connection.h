#pragma once

#include <soci/soci.h>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "io/database/address.h"
#include "roles/role.h"

namespace muster::io {

// Who has the pool, as a transaction saw it, and what the transaction is called.
struct Fence {
  long long epoch = 0;
  std::string transaction;  // Empty where the database has no such names.
};

// A connection to the server's database, and what its two kinds do differently. What is portable
// goes through session(), and throws what SOCI does. Of one thread.
class Connection {
 public:
  static std::unique_ptr<Connection> to(const DatabaseAddress& address);
  virtual ~Connection() = default;
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Opens it; anew, when it was open before. kUnavailable: the database is away, and may come.
  // kDisk: a file that cannot be opened.
  [[nodiscard]] virtual Status open() = 0;
  soci::session& session() { return sql_; }

  // ---- Transactions.

  // Of which only one at a time changes the schema.
  virtual void begin_migration() = 0;
  virtual void begin() = 0;
  // That reads, at its leisure, what was there at its beginning.
  virtual void begin_snapshot() = 0;
  // Inside a transaction: nobody takes the pool over until it has ended.
  [[nodiscard]] virtual Fence fence() = 0;
  // Inside a transaction, before its end. kDisk: it would go nowhere.
  [[nodiscard]] virtual Status still_there() const { return {}; }

  // ---- What went wrong.

  // Whether nothing more can be done before it is opened again.
  [[nodiscard]] virtual bool is_lost(const std::exception& error) const = 0;
  // Whether the same may well succeed in a while: it is away, or somebody holds a lock.
  [[nodiscard]] virtual bool passes(const std::exception& error) const = 0;
  // Whether a transaction may have been carried out, when its end threw this.
  [[nodiscard]] virtual bool may_be_done(const std::exception& error) const = 0;
  // What became of a transaction whose end was not answered; asked on a connection opened since.
  [[nodiscard]] virtual roles::Outcome outcome(const std::string& transaction) = 0;

  // Does `work`, and ends it by an exception once it has hung for so long: a database that is
  // frozen does not freeze who asks it.
  virtual void within(std::chrono::milliseconds patience, const std::function<void()>& work) = 0;

  // ---- For people.

  [[nodiscard]] virtual std::string name() const = 0;
  // The command line that runs a statement there.
  [[nodiscard]] virtual std::string command_for(const std::string& statement) const = 0;

 protected:
  soci::session sql_;
};

// Rolled back unless it was committed.
class Transaction {
 public:
  enum class Kind { kWrite, kMigration, kSnapshot };
  explicit Transaction(Connection& connection, Kind kind = Kind::kWrite);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // May throw, and may have been carried out nevertheless.
  void commit();

 private:
  soci::session& sql_;
  bool is_over_ = false;
};

// What a person is told of it: without the statement, whose values may be large, or private.
std::string reason_of(const std::exception& error);

}  // namespace muster::io
