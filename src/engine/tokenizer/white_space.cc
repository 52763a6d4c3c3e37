#include "engine/tokenizer/white_space.h"

namespace muster::engine {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

bool is_white_space(std::string_view character) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(character[i]); };
  if (character.size() == 1) return at(0) == ' ' || (at(0) >= 9 && at(0) <= 13);
  if (character.size() == 2) return at(0) == 0xc2 && (at(1) == 0x85 || at(1) == 0xa0);
  if (character.size() != 3) return false;
  const unsigned code = (at(0) & 0x0fu) << 12 | (at(1) & 0x3fu) << 6 | (at(2) & 0x3fu);
  return code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
         code == 0x202f || code == 0x205f || code == 0x3000;
}

std::string_view first_character(std::string_view text) {
  size_t end = 1;
  while (end < text.size() && continues(text[end])) ++end;
  return text.substr(0, end);
}

std::string_view last_character(std::string_view text) {
  size_t begin = text.size() - 1;
  while (begin > 0 && continues(text[begin])) --begin;
  return text.substr(begin);
}

}  // namespace muster::engine
