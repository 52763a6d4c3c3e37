#pragma once

#include "base/result.h"
#include "io/database/connection.h"

namespace muster::io {

// The tables as this program knows them, after so many migrations:
//
//   pool                 one row: which server has it, and the storage view
//   identity, clock      one row each: what the pool is, and the time that it has counted
//   jobs, results        a run each; what came out of it, a row a task and metric
//   machines, reasons    what is held against machines; why something waited or did not count
//   join_tokens          who is let in
//   authority            the pool's certificate, and its key under seal
//
// What the server itself keeps of a thing is `row`, a message in hexadecimal. The columns beside it
// are for those who ask the database: written in the same statement, and never read back.
constexpr long long kSchema = 2;

// Its tables, and by what the rows of each are told apart.
struct Table {
  const char* name;
  const char* key;
};
constexpr Table kTables[] = {{"pool", "id"},          {"identity", "id"},
                             {"clock", "id"},         {"authority", "id"},
                             {"jobs", "job, run"},    {"results", "job, run, task, metric"},
                             {"machines", "machine"}, {"reasons", "job, run, number"},
                             {"join_tokens", "token"}};

// Creates what is missing, all of it or nothing. Forward only. kUnsupported: it was made by a newer
// muster. kDisk: a migration failed, and has changed nothing.
Status bring_up_to_date(Connection& connection);

// The same as a part of its caller's transaction, up to a schema: as far as `version`, unless it is
// there already. Throws what SOCI does, too.
Status migrate(Connection& connection, long long version);

}  // namespace muster::io
