#pragma once

#include "roles/coordinator/items.h"

namespace muster::roles::coordinator {

// What a job whose items are all settled comes to: for each task its metrics, with their standard
// errors, of how many votes they are and of which classes. Sums go in item order. Pure.
//
//   seconds  the job took under this coordinator
pb::JobResult job_result(const pb::JobRow& row, const Items& items, double seconds);

}  // namespace muster::roles::coordinator
