#include "web/http/request.h"

#include <algorithm>
#include <optional>

#include "base/printable.h"

namespace muster::web {
namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; });
}

// `plus`: what a '+' stands for.
Result<std::string> decoded(std::string_view text, char plus) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      bytes += text[at] == '+' ? plus : text[at];
      continue;
    }
    const int high = at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
    const int low = high < 0 ? -1 : hex_value(text[at + 2]);
    if (low < 0) return fail(Code::kInvalidArgument, "a '%' in the address needs two hex digits");
    bytes += static_cast<char>(high * 16 + low);
    at += 2;
  }
  if (!is_utf8(bytes) || has_control(bytes)) {
    return fail(Code::kInvalidArgument, "the address must be UTF-8 without control characters");
  }
  return bytes;
}

// Calls `take` with each piece between separators.
template <typename Take>
Status split(std::string_view text, char separator, Take&& take) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    MUSTER_TRY_STATUS(take(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

Status add_field(std::string_view piece, Target& target) {
  if (piece.empty()) return {};
  if (target.query.size() >= kMostQueryFields) {
    return fail(Code::kInvalidArgument, "the address has too many fields behind its '?'");
  }
  const size_t equals = std::min(piece.find('='), piece.size());
  MUSTER_TRY(auto name, decoded(piece.substr(0, equals), ' '));
  MUSTER_TRY(auto value, decoded(piece.substr(std::min(equals + 1, piece.size())), ' '));
  target.query.emplace_back(std::move(name), std::move(value));
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMostTargetBytes) {
    return fail(Code::kInvalidArgument, "the address is longer than 4 KiB");
  }
  if (text.empty() || text.front() != '/') {
    return fail(Code::kInvalidArgument, "the address must begin with '/'");
  }
  const size_t question = std::min(text.find('?'), text.size());
  Target target;
  MUSTER_TRY_STATUS(split(text.substr(1, question - 1), '/', [&](std::string_view piece) -> Status {
    MUSTER_TRY(auto segment, decoded(piece, '+'));
    target.segments.push_back(std::move(segment));
    return {};
  }));
  const std::string_view query = text.substr(std::min(question + 1, text.size()));
  MUSTER_TRY_STATUS(
      split(query, '&', [&](std::string_view piece) { return add_field(piece, target); }));
  return target;
}

std::string_view Request::field(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace muster::web
