#pragma once

#include <set>
#include <string>

#include "roles/server/job_table.h"

namespace muster::roles::server {

// Jobs whose names begin so: those of the table, and what the database has found. None is called
// nothing.
[[nodiscard]] std::set<std::string> jobs_named(const JobTable& jobs, const FoundJobs& found,
                                               const std::string& prefix);

// What was found of this job; null: nothing.
[[nodiscard]] const pb::JobRow* row_of(const FoundJobs& found, const std::string& job);

}  // namespace muster::roles::server
