#pragma once

#include <optional>
#include <set>
#include <string>

#include "roles/server/reasons.h"
#include "roles/server/situation.h"

namespace muster::roles::server {

// How a machine is, in a few words for a table: "idle", "storage, lent to 3fa9c2".
[[nodiscard]] std::string state_of(const Situation& pool, const std::string& machine,
                                   const Nodes::Node& node);

// Machines whose names begin so: connected, or known from before. None begins with nothing.
[[nodiscard]] std::set<std::string> machines_named(const Situation& pool,
                                                   const std::string& prefix);

// What the database has to be asked for explain(); none: what is known here is enough.
[[nodiscard]] std::optional<FindJobs> search_for(const Situation& pool, const std::string& what);

// Why the job or machine whose name begins so is as it is, and what happened to it; of what is over
// as the database has found it, as far as it could. A failure, if there is none, or more than one.
[[nodiscard]] pb::WhyReply explain(const Situation& pool, const Reasons& reasons,
                                   const std::string& what, const Result<FoundJobs>& found);

}  // namespace muster::roles::server
