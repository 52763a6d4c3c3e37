// A regular expression from tokenizer.json, and a text, with a zero byte between them
// (engine/tokenizer/pattern.h). Matches come in order, apart, between characters, and the same each
// time. What was rewritten for newer characters (newer_code_points.h) means what it meant: on a
// text without such characters the matches are those of the pattern as it stands, given to
// Oniguruma here; and a letter, mark or digit that is newer is taken as an older one of its
// category is. Compiling takes at most 2 MiB and 16 KiB a byte of the pattern.
#include "engine/tokenizer/pattern.h"

#include <oniguruma.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "base/printable.h"
#include "engine/tokenizer/newer_code_points.h"
#include "input.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using engine::Pattern;
using engine::Span;

constexpr size_t kMemory = 2 << 20, kMemoryPerByte = 16 << 10;
constexpr size_t kMostText = 200;  // What backtracks does so over little.

bool are_equal(const std::vector<Span>& some, const std::vector<Span>& others) {
  return std::equal(
      some.begin(), some.end(), others.begin(), others.end(),
      [](const Span& a, const Span& b) { return a.begin == b.begin && a.end == b.end; });
}

bool is_boundary(std::string_view text, size_t at) {
  return at == text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
}

void check_matches(std::string_view text, const std::vector<Span>& matches) {
  size_t end = 0;
  for (const Span& match : matches) {
    MUSTER_CHECK(match.begin <= match.end && match.end <= text.size());
    MUSTER_CHECK(match.begin >= end);
    MUSTER_CHECK(is_boundary(text, match.begin) && is_boundary(text, match.end));
    end = match.end;
  }
}

// An older character, and a newer one of the same category and as many bytes.
constexpr const char* kTwins[][2] = {{"\xf0\x90\x80\x80", "\xf0\x9e\x93\x90"},   // Lo
                                     {"\xf0\x9e\x8b\xac", "\xf0\x9e\x93\xac"},   // Mn
                                     {"\xf0\x9d\x9f\x8e", "\xf0\x9e\x93\xb0"}};  // Nd

std::string with_newer_twins(std::string_view text) {
  std::string out(text);
  for (const auto& [older, newer] : kTwins) {
    for (size_t at = 0; (at = out.find(older, at)) != std::string::npos; at += 4) {
      out.replace(at, 4, newer);
    }
  }
  return out;
}

// Whether a pattern may tell one character of a category from another.
bool names_characters(std::string_view pattern) {
  for (const char* by : {"\\x", "\\u", "\\o"}) {
    if (pattern.find(by) != std::string_view::npos) return true;
  }
  return std::any_of(pattern.begin(), pattern.end(), [](char c) { return c < 0; });
}

// Of the pattern as it is. Nothing: Oniguruma refuses it, or gives up.
class PlainPattern {
 public:
  explicit PlainPattern(std::string_view pattern) {
    OnigErrorInfo info;
    (void)onig_new(&regex_, bytes(pattern), bytes(pattern) + pattern.size(), ONIG_OPTION_NONE,
                   ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
  }
  PlainPattern(const PlainPattern&) = delete;
  PlainPattern& operator=(const PlainPattern&) = delete;
  ~PlainPattern() {
    onig_region_free(region_, 1);
    onig_free(regex_);
  }

  std::optional<std::vector<Span>> find_all(std::string_view text) {
    if (regex_ == nullptr) return {};
    std::vector<Span> out;
    size_t from = 0, last = std::string_view::npos;
    while (from <= text.size()) {
      const int found = onig_search(regex_, bytes(text), bytes(text) + text.size(),
                                    bytes(text) + from, bytes(text) + text.size(), region_, 0);
      if (found == ONIG_MISMATCH) break;
      if (found < 0) return {};
      const Span match{static_cast<size_t>(region_->beg[0]), static_cast<size_t>(region_->end[0])};
      if (match.begin == match.end && match.end == last) {
        ++from;
        while (from < text.size() && !is_boundary(text, from)) ++from;
        continue;
      }
      if (match.end < match.begin || match.end < from) return {};
      from = last = match.end;
      out.push_back(match);
    }
    return out;
  }

 private:
  static const OnigUChar* bytes(std::string_view text) {
    return reinterpret_cast<const OnigUChar*>(text.data());
  }
  regex_t* regex_ = nullptr;
  OnigRegion* region_ = onig_region_new();
};

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const std::string pattern(in.text());
  const std::string_view text = in.take(kMostText);
  if (!is_utf8(pattern) || !is_utf8(text)) return;  // Both come out of JSON.
  auto compiled = Result<Pattern>(fail(Code::kFailed, ""));
  const size_t memory = peak_bytes([&] { compiled = Pattern::compile(pattern); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * pattern.size());
  if (!compiled) {
    MUSTER_CHECK(compiled.error().code == Code::kUnsupported);
    return;
  }
  std::vector<Span> matches, again;
  const Status found = compiled->find_all(text, matches);
  MUSTER_CHECK(compiled->find_all(text, again).has_value() == found.has_value());
  MUSTER_CHECK(are_equal(matches, again));
  if (!found) return;
  check_matches(text, matches);
  if (engine::has_newer_code_points(text)) return;
  if (const std::string newer = with_newer_twins(text); !names_characters(pattern)) {
    std::vector<Span> same;
    if (compiled->find_all(newer, same)) MUSTER_CHECK(are_equal(matches, same));
  }
  if (const auto plain = PlainPattern(pattern).find_all(text))
    MUSTER_CHECK(are_equal(matches, *plain));
}

std::vector<std::string> seeds() {
  const std::string text = std::string(1, '\0') +
                           "It's 2024, na\xc3\xafve caf\xc3\xa9!  \n\n x\xd9\xa3_y -- "
                           "\xf0\x90\x80\x80\xf0\x9e\x8b\xac \xf0\x9d\x9f\x8e!";
  std::vector<std::string> out;
  for (
      const char* pattern :
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
       R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
       R"([^\w\s]+|\W\d|\D)", R"([\w-z&&[^\d]]+)", R"(\p{^Lu}\P{Ll}|\p{Mn}|[\p{Mn}a])",
       R"((?<a>.)\k<a>|(?x: a # \w
 b))",
       R"((?<=a)\K.|(?~b)|\b\w)", R"(a{2,3}?|(ab)*+|.*?)", "", "\\"}) {
    out.push_back(pattern + text);
  }
  return out;
}

std::vector<std::string> words() {
  return {"\\p{L}",     "\\P{Nd}",    "\\p{^Mn}",    "\\w",    "\\W",   "\\d",  "\\D",
          "\\s",        "\\b",        "\\K",         "(?=",    "(?!",   "(?<=", "(?i)",
          "(?x)",       "(?>",        "[^",          "&&",     "{1,3}", "(?~",  "(?#",
          "\\x{",       "\\c",        "\\C-",        "\\M-",   "\\R",   "\\X",  "\\Q",
          "\\E",        "(*FAIL)",    "[[:alpha:]]", "\\g<0>", "\\k<",  "(?W)", "-",
          kTwins[0][0], kTwins[1][0], kTwins[2][0],  "]",      ")",     "|",    "?",
          "*",          "+",          "(?{"};
}

}  // namespace muster::fuzz
