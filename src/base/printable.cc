#include "base/printable.h"

#include <cstdint>

namespace muster {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD", kEllipsis = "\xE2\x80\xA6";

struct Character {
  char32_t code = 0;
  size_t bytes = 0;  // 0: no character begins here.
};

size_t announced_bytes(unsigned char first) {
  return first < 0x80   ? 1
         : first < 0xC2 ? 0
         : first < 0xE0 ? 2
         : first < 0xF0 ? 3
         : first < 0xF5 ? 4
                        : 0;
}

// The character at the beginning of a text that is not empty.
Character first_of(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t bytes = announced_bytes(first);
  if (bytes == 0 || bytes > text.size()) return {};
  char32_t code = bytes == 1 ? first : first & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0) != 0x80) return {};
    code = code << 6 | (next & 0x3Fu);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? Character{} : Character{code, bytes};
}

bool is_white(char32_t code) {
  return code == '\n' || code == '\r' || code == '\t' || code == 0x85 || code == 0x2028 ||
         code == 0x2029;
}

// Controls, and marks that turn the direction of what follows or take no room.
bool acts(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x202A && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

std::string_view shown(const Character& character, std::string_view bytes) {
  if (character.bytes == 0) return kReplacement;
  if (is_white(character.code)) return " ";
  return acts(character.code) ? kReplacement : bytes.substr(0, character.bytes);
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t size = first_of(bytes).bytes;
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text, size_t most_bytes) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_of(text);
    const std::string_view piece = shown(character, text);
    if (out.size() + piece.size() > most_bytes) return out.append(kEllipsis);
    out += piece;
    text.remove_prefix(character.bytes == 0 ? 1 : character.bytes);
  }
  return out;
}

}  // namespace muster
