#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "engine/scoring/scorer.h"

namespace muster::engine {

// Scores the JSON lines of one file into another: {"context", "continuation"} in,
// {"loglikelihood", "is_greedy", "tokens", "margin"} out, in the same order. A plain file appears
// whole or not at all; pipes and devices are read and written. `threads`: as CoreShare takes it.
// Shows progress on stderr when that is a terminal.
Status score_file(const Path& model, const Path& requests, const Path& output, int threads);

// One request line. kDataLoss names the field that is missing.
Result<ScoreRequest> parse_request(std::string_view line);

// What `muster-engine info` prints: architecture, sizes, numeric class, memory needed.
Result<Json> describe_model(const Path& model);

}  // namespace muster::engine
