#pragma once

#include <soci/soci.h>

#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "io/database/schema.h"

namespace muster::io {

// Rows of any table as JSON: {"job": "ab12", "run": 1}. They throw what SOCI does.

// All of them, in the order of their keys.
Status visit_rows(soci::session& sql, const Table& table,
                  const std::function<Status(const Json&)>& take);
// kDataLoss: it is no row.
Status insert_row(soci::session& sql, const Table& table, const Json& row);

}  // namespace muster::io
