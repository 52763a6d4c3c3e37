#pragma once

#include <string_view>

namespace muster::eval {

// The benchmark data that ships inside the program: a file of the repository's data/ folder by
// name ("tinyMMLU.jsonl"), JSON lines; empty when there is no such file.
std::string_view bundled(std::string_view name);

}  // namespace muster::eval
