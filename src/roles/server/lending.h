#pragma once

#include <string>
#include <utility>
#include <vector>

#include "roles/server/situation.h"

namespace muster::roles::server {

// Whether what happened may give a machine to a job. Most of what is heard says only that somebody
// lives; what a coordinator wants says itself whether it is anything new (Loans::want).
[[nodiscard]] bool may_change_lending(const Event& event);

// Whether the machine may work for anybody at all.
[[nodiscard]] bool may_compute(const Situation& pool, const std::string& machine,
                               const Nodes::Node& node);

struct NextLoan {
  std::string machine, job;
};
// What to lend next, in this order. One machine at a time to the researcher whose jobs have the
// fewest, and of these to the one that has the fewest, while any wants more; of those it has use
// for, in the order they joined. Storage nodes come last, if they may be lent (`with_stores`), and
// only while fewer other machines can compute than the job wants votes. Who is to retire, or is
// leaving, is lent no more.
[[nodiscard]] std::vector<NextLoan> next_loans(const Situation& pool, bool with_stores);

// What the job's coordinator is told: the machines it has, and what it may expect of the others.
// Without a revision.
[[nodiscard]] pb::Lend lend_message(const Situation& pool, const pb::JobRow& job);

}  // namespace muster::roles::server
