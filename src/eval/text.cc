#include "eval/text.h"

#include <utf8proc.h>

namespace muster::eval {
namespace {

bool is_space(int32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31);
  const auto category = utf8proc_category(c);
  return c == 0x85 || category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP;
}

// Calls visit(code_point, byte_offset, bytes) for each character; a broken byte counts as one.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t code_point = 0;
    const auto used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code_point);
    const size_t size = used > 0 ? static_cast<size_t>(used) : 1;
    visit(code_point, at, size);
    at += size;
  }
}

void append(std::string& out, int32_t code_point) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(code_point, bytes);
  out.append(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
}

}  // namespace

std::string strip(std::string_view text) {
  size_t begin = text.size(), end = 0;
  for_each_character(text, [&](int32_t c, size_t at, size_t size) {
    if (is_space(c)) return;
    if (begin == text.size()) begin = at;
    end = at + size;
  });
  return begin < end ? std::string(text.substr(begin, end - begin)) : "";
}

std::string capitalize(std::string_view text) {
  std::string out;
  for_each_character(text, [&](int32_t c, size_t at, size_t) {
    append(out, at == 0 ? utf8proc_totitle(c) : utf8proc_tolower(c));
  });
  return out;
}

int64_t length(std::string_view text) {
  int64_t count = 0;
  for_each_character(text, [&](int32_t, size_t, size_t) { ++count; });
  return count;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) break;
    out += to;
    at = found + from.size();
  }
  return out;
}

}  // namespace muster::eval
