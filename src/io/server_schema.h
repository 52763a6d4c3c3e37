#pragma once

#include <string>

namespace soci {
class session;
}

namespace muster::io {

// The tables of the server's database. A row is its message, as a text; beside it stand what rows
// are found by:
//
//   pool      one row: who owns the pool (epoch), and its view
//   job       each run of each job: when it was accepted, and ended (0: it goes on)
//   machine   what is known of each
//   reason    what happened to a job's run, and by which machine
//   token     what lets somebody in
//   clock     Unix time, as it was counted
//   identity  one row: which pool this is
//
// Times are Unix time in milliseconds.

// The states in which a run is over (wire/job_state.h), as a list of SQL: "(2, 3, 4)".
std::string states_that_are_over();

// Makes what is missing. A database of before accepted, ended and machine were columns gets them,
// and rows that such a server has written since are filled in, as they say; all of it or nothing.
// Throws what SOCI does.
void bring_up_to_date(soci::session& sql);

}  // namespace muster::io
