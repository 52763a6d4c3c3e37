#pragma once

#include <string>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "wire/pb.h"

namespace muster::cli {

// A finished job as lm-eval shows it: the line about the model, then the table, with our column
// `votes` after Stderr.
std::string results_table(const pb::JobRow& row);

// lm-eval's results file: results, configs, versions, n-shot, higher_is_better, n-samples, config,
// date; what is ours stands under "muster".
Json results_json(const pb::JobRow& row);

// Writes DIR/MODEL/results_TIME.json in one step and returns its path.
Result<Path> write_results(const pb::JobRow& row, const Path& output_path);

}  // namespace muster::cli
