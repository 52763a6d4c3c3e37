#pragma once

#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "wire/pb.h"

namespace muster::host {

// Weights in one file, or the index of those in several.
constexpr char kWeights[] = "model.safetensors", kWeightsIndex[] = "model.safetensors.index.json";

// Whether a file of this name may decide a model's answers: config.json, the tokenizer's, weights
// and their index.
bool is_model_file(const std::string& name);

// Those of a model directory, in order of name. kNotFound when there is no config.json.
Result<std::vector<Path>> model_files(const Path& directory);

// Pins a directory: commit is the hex digest of those files' names and bytes. Cost: one pass over
// the weights, about 2 GB/s.
Result<pb::ModelPin> pin_directory(const Path& directory);

}  // namespace muster::host
