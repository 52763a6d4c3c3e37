#include "engine/scoring/whitespace.h"

namespace muster::engine {
namespace {

// The bytes of the white-space character that `text` ends with; 0 when it ends otherwise.
size_t trailing_space_bytes(std::string_view text) {
  const auto at = [&](size_t from_end) {
    return static_cast<unsigned char>(text[text.size() - from_end]);
  };
  const unsigned char last = at(1);
  if (last < 0x80) return last == ' ' || (last >= 9 && last <= 13) || (last >= 28 && last <= 31);
  if (text.size() >= 2 && at(2) == 0xc2) return last == 0x85 || last == 0xa0 ? 2 : 0;
  if (text.size() < 3) return 0;
  const unsigned code = (at(3) & 0x0fu) << 12 | (at(2) & 0x3fu) << 6 | (last & 0x3fu);
  const bool space = (at(3) & 0xf0) == 0xe0 &&
                     (code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
                      code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000);
  return space ? 3 : 0;
}

}  // namespace

size_t length_without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = trailing_space_bytes(text);
    if (bytes == 0) break;
    text.remove_suffix(bytes);
  }
  return text.size();
}

}  // namespace muster::engine
