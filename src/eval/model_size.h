#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace muster::eval {

// What the engine takes, until it has bfloat16.
constexpr uint64_t kMostParameters = 1'000'000'000;

// kUnsupported for a model of more, with a sentence for whoever asked for it by this name.
Status check_model_size(const std::string& model, uint64_t parameters);

}  // namespace muster::eval
