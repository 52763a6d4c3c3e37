#include "roles/server/found_jobs.h"

#include <algorithm>

namespace muster::roles::server {

std::set<std::string> jobs_named(const JobTable& jobs, const FoundJobs& found,
                                 const std::string& prefix) {
  std::set<std::string> names;
  if (prefix.empty()) return names;
  for (std::string& id : jobs.named(prefix)) names.insert(std::move(id));
  for (const pb::JobRow& row : found.rows) {
    if (row.job().starts_with(prefix)) names.insert(row.job());
  }
  return names;
}

const pb::JobRow* row_of(const FoundJobs& found, const std::string& job) {
  const auto row = std::find_if(found.rows.begin(), found.rows.end(),
                                [&](const pb::JobRow& one) { return one.job() == job; });
  return row == found.rows.end() ? nullptr : &*row;
}

}  // namespace muster::roles::server
