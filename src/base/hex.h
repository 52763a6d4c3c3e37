#pragma once

#include <string_view>

namespace muster {

// So many digits, as digests and commits are written: none of them a capital.
inline bool is_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace muster
