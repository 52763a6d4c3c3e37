#pragma once

#include <map>
#include <set>
#include <string>

#include "roles/server/situation.h"

namespace muster::roles::server {

// Researchers whose jobs compete have an equal share of the machines, each as far as his jobs can
// use one; what he does not use goes to the others. Operators, and whoever is at a pool without
// certificates, are one researcher.

// How many machines each researcher's jobs have.
[[nodiscard]] std::map<std::string, size_t> lent_by_researcher(const Situation& pool);

// Machines that their jobs are to give back once their leases there end, by job: while a researcher
// has two machines more than one whose job could use it, and who gets none otherwise. Those that
// were chosen before come first, so that no second one is given back in place of the first. Jobs
// that have none to give back are not listed. Costs nothing while one researcher alone has jobs;
// else as much as there are machines and jobs.
[[nodiscard]] std::map<std::string, std::set<std::string>> recalls(const Situation& pool);

}  // namespace muster::roles::server
