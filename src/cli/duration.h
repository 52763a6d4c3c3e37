#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

#include "base/result.h"

namespace muster::cli {

// A time span as people write it: "90s", "30m", "24h", "7d". More than nothing, and ten years at
// most. kInvalidArgument.
Result<std::chrono::seconds> parse_duration(const std::string& text);
// Of a flag.
CLI::Validator duration();

}  // namespace muster::cli
