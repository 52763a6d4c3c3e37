#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::engine {

// Debian 12's Oniguruma knows Unicode 14, the tokenizers package's own Unicode 16. What came in
// between is added to the classes that a pattern names.
struct RewrittenPattern {
  std::string text;
  // Whether it means the same for every code point; else for those of Unicode 14 only.
  bool is_exact = true;
};

// kUnsupported names a construct that the two versions take differently.
Result<RewrittenPattern> with_newer_code_points(std::string_view pattern);

// Whether valid UTF-8 has a code point that came after Unicode 14.
bool has_newer_code_points(std::string_view text);

}  // namespace muster::engine
