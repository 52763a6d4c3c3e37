#include "engine/scoring/whitespace.h"

#include "engine/tokenizer/white_space.h"

namespace muster::engine {

size_t length_without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    const std::string_view last = last_character(text);
    const bool separates = last[0] >= 0x1c && last[0] <= 0x1f;  // Python's own addition.
    if (!separates && !is_white_space(last)) break;
    text.remove_suffix(last.size());
  }
  return text.size();
}

}  // namespace muster::engine
