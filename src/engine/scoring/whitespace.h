#pragma once

#include <string_view>

namespace muster::engine {

// The length of `text` without its trailing white space, as Python's str.rstrip() sees it: any
// Unicode white space, and the separators 0x1c to 0x1f. `text` is UTF-8.
size_t length_without_trailing_space(std::string_view text);

}  // namespace muster::engine
