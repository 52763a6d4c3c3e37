#pragma once

#include "base/json.h"

namespace muster::eval {

// A section of tests/data/statistics.json: what scipy and statsmodels make of a list of cases. Not
// empty (checked).
const Json& reference(const char* section);

// How far `got` is from `want`, as a part of it; an absolute 1e-320 is nothing.
double relative_error(double got, double want);

}  // namespace muster::eval
