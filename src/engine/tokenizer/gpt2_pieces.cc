#include "engine/tokenizer/gpt2_pieces.h"

#include <array>

namespace muster::engine {
namespace {

constexpr char kPattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

enum class Kind : unsigned char { kSpace, kLetter, kNumber, kSign, kOther };

constexpr std::array<Kind, 256> make_kinds() {
  std::array<Kind, 256> kinds{};
  for (int c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    kinds[static_cast<size_t>(c)] = c >= 0x80                         ? Kind::kOther
                                    : c == ' ' || (c >= 9 && c <= 13) ? Kind::kSpace
                                    : letter                          ? Kind::kLetter
                                    : c >= '0' && c <= '9'            ? Kind::kNumber
                                                                      : Kind::kSign;
  }
  return kinds;
}

Kind kind_at(std::string_view text, size_t at) {
  static constexpr std::array<Kind, 256> kKinds = make_kinds();
  return kKinds[static_cast<unsigned char>(text[at])];
}

// The end of the run of one kind that begins at `from`.
size_t run_end(std::string_view text, size_t from, Kind kind) {
  while (from < text.size() && kind_at(text, from) == kind) ++from;
  return from;
}

// The length of the contraction that `text` begins with; 0: it begins with none.
size_t contraction(std::string_view text) {
  if (!text.starts_with('\'') || text.size() < 2) return 0;
  const char next = text[1];
  if (next == 's' || next == 't' || next == 'm' || next == 'd') return 2;
  const std::string_view rest = text.substr(1);
  return rest.starts_with("re") || rest.starts_with("ve") || rest.starts_with("ll") ? 3 : 0;
}

}  // namespace

Result<Gpt2Pieces> Gpt2Pieces::create() {
  MUSTER_TRY(auto pattern, Pattern::compile(kPattern));
  return Gpt2Pieces(std::move(pattern));
}

size_t Gpt2Pieces::ascii_end(std::string_view text, size_t from) {
  if (const size_t bytes = contraction(text.substr(from)); bytes > 0) return from + bytes;
  const bool is_blank = text[from] == ' ' && from + 1 < text.size();
  const size_t first = is_blank && kind_at(text, from + 1) != Kind::kSpace ? from + 1 : from;
  const Kind kind = kind_at(text, first);
  if (kind == Kind::kOther) return 0;
  const size_t end = run_end(text, first, kind);
  if (end < text.size() && kind_at(text, end) == Kind::kOther) return 0;
  // Of white space the last character goes with what follows.
  if (kind != Kind::kSpace || end == text.size() || end == from + 1) return end;
  return end - 1;
}

Status Gpt2Pieces::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  for (size_t from = 0; from < text.size();) {
    size_t end = ascii_end(text, from);
    if (end == 0) {
      MUSTER_TRY(end, pattern_.match_end(text, from));
    }
    pieces.push_back(text.substr(from, end - from));
    from = end;
  }
  return {};
}

}  // namespace muster::engine
