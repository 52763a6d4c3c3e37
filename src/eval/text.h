#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::eval {

// Text as Python's str sees it. All take and give UTF-8.

// Without white space (Unicode's) at either end: str.strip().
std::string strip(std::string_view text);
// The first character in title case, the rest in lower case: str.capitalize(), by the simple case
// mappings (one character to one).
std::string capitalize(std::string_view text);
// Number of code points: len(str).
int64_t length(std::string_view text);
// Every occurrence of `from` replaced in one pass from the left: str.replace().
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace muster::eval
