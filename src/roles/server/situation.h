#pragma once

#include "roles/server/job_table.h"
#include "roles/server/kept_runs.h"
#include "roles/server/loans.h"
#include "roles/server/nodes.h"
#include "roles/server/standings.h"
#include "roles/server/storage_view.h"

namespace muster::roles::server {

// How things stand in the pool, to be read by what decides or tells and changes nothing. Valid for
// the call it is made for.
struct Situation {
  const Nodes& nodes;
  const Loans& loans;
  const Standings& standings;
  const StorageView& view;
  const JobTable& jobs;
  const KeptRuns& kept;
};

}  // namespace muster::roles::server
