#pragma once

#include <string_view>

namespace muster::engine {

// Whether a character, as UTF-8, is white space: Unicode's White_Space.
bool is_white_space(std::string_view character);

// The first and the last character of valid UTF-8 that is not empty.
std::string_view first_character(std::string_view text);
std::string_view last_character(std::string_view text);

}  // namespace muster::engine
