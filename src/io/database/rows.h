#pragma once

#include <soci/soci.h>

#include <string>

#include "wire/pb.h"

namespace muster::io {

// Rows of the tables (schema.h), as they are written: in the place of the one before, with what
// people ask for in columns of its own. They throw what SOCI does.
void write_row(soci::session& sql, const pb::JobRow& row);  // And its results, once it has some.
void write_row(soci::session& sql, const pb::MachineRow& row);
// Only the latest of a job are kept: roles::kMostReasons, of its latest run.
void write_row(soci::session& sql, const pb::Reason& reason);
void write_row(soci::session& sql, const pb::TokenRow& row);
void write_row(soci::session& sql, const pb::PoolRow& row);

// "('done', 'failed', 'cancelled')": nothing comes after them but another run.
std::string words_of_what_is_over();

}  // namespace muster::io
