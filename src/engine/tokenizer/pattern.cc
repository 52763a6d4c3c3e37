#include "engine/tokenizer/pattern.h"

#include <oniguruma.h>

#include "base/printable.h"
#include "engine/tokenizer/newer_code_points.h"

namespace muster::engine {
namespace {

// Of one search. The first is the reference's; no pattern of a real tokenizer comes near them.
constexpr unsigned long kMostRetriesInMatch = 10'000'000, kMostRetriesInSearch = 100'000'000;
constexpr unsigned int kMostStack = 8'000'000;
// Of a pattern: those of real tokenizers have some hundred. A "\\w", with all that is newer, takes
// 20 KiB while it is compiled, so that a megabyte of them would take ten gigabytes.
constexpr size_t kMostPatternBytes = 4096;
constexpr size_t kMostShown = 200;  // Bytes of a pattern that a person is shown.

const OnigUChar* bytes(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

std::string words_of(int error, OnigErrorInfo* info) {
  OnigUChar words[ONIG_MAX_ERROR_MESSAGE_LEN];
  const int size = info != nullptr ? onig_error_code_to_str(words, error, info)
                                   : onig_error_code_to_str(words, error);
  return {reinterpret_cast<const char*>(words), static_cast<size_t>(size)};
}

size_t character_bytes(std::string_view text, size_t at) {
  size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

std::string escaped(const std::string& literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view("\\.+*?()|[]{}^$#&-~").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

struct Pattern::Compiled {
  std::string shown;
  bool is_exact = true;
  regex_t* regex = nullptr;
  OnigRegion* region = onig_region_new();
  OnigMatchParam* limits = onig_new_match_param();

  Compiled() = default;
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    onig_free_match_param(limits);
    onig_region_free(region, 1);
    onig_free(regex);
  }
};

Result<Pattern> Pattern::compile(const std::string& pattern) {
  auto compiled = std::make_shared<Compiled>();
  compiled->shown = "pattern '" + printable(pattern, kMostShown) + "': ";
  if (pattern.size() > kMostPatternBytes) {
    return fail(Code::kUnsupported, compiled->shown + std::to_string(pattern.size()) +
                                        " bytes, of which 4096 at most are implemented");
  }
  auto rewritten = with_newer_code_points(pattern);
  if (!rewritten) return fail(rewritten.error().code, compiled->shown + rewritten.error().message);
  compiled->is_exact = rewritten->is_exact;
  const std::string& text = rewritten->text;
  OnigErrorInfo info;
  const int error = onig_new(&compiled->regex, bytes(text), bytes(text) + text.size(),
                             ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
  if (error != ONIG_NORMAL) {
    return fail(Code::kUnsupported, compiled->shown + words_of(error, &info));
  }
  onig_initialize_match_param(compiled->limits);
  onig_set_retry_limit_in_match_of_match_param(compiled->limits, kMostRetriesInMatch);
  onig_set_retry_limit_in_search_of_match_param(compiled->limits, kMostRetriesInSearch);
  onig_set_match_stack_limit_size_of_match_param(compiled->limits, kMostStack);
  Pattern out;
  out.compiled_ = std::move(compiled);
  return out;
}

Result<Pattern> Pattern::literal(const std::string& text) { return compile(escaped(text)); }

Status Pattern::check(std::string_view text) const {
  if (compiled_->is_exact || !has_newer_code_points(text)) return {};
  return fail(Code::kUnsupported, compiled_->shown +
                                      "a text has a character that came after Unicode 14, and "
                                      "what this makes of it is not known here");
}

Error Pattern::gave_up(int error) const {
  return {Code::kUnsupported,
          compiled_->shown + "it gave up on a text: " + words_of(error, nullptr)};
}

Result<size_t> Pattern::match_end(std::string_view text, size_t from) const {
  MUSTER_TRY_STATUS(check(text));
  const OnigUChar *begin = bytes(text), *end = begin + text.size();
  const int length = onig_match_with_param(compiled_->regex, begin, end, begin + from, nullptr,
                                           ONIG_OPTION_NONE, compiled_->limits);
  if (length < 0) return fail(gave_up(length));
  return from + static_cast<size_t>(length);
}

Status Pattern::find_all(std::string_view text, std::vector<Span>& matches) const {
  MUSTER_TRY_STATUS(check(text));
  const OnigUChar *begin = bytes(text), *end = begin + text.size();
  size_t from = 0;
  size_t last = std::string_view::npos;  // Where the last match ended.
  while (from <= text.size()) {
    onig_region_clear(compiled_->region);
    const int found =
        onig_search_with_param(compiled_->regex, begin, end, begin + from, end, compiled_->region,
                               ONIG_OPTION_NONE, compiled_->limits);
    if (found == ONIG_MISMATCH) return {};
    if (found < 0) return fail(gave_up(found));
    const Span match{static_cast<size_t>(compiled_->region->beg[0]),
                     static_cast<size_t>(compiled_->region->end[0])};
    if (match.begin == match.end && match.end == last) {
      from += from < text.size() ? character_bytes(text, from) : 1;
      continue;
    }
    from = last = match.end;
    matches.push_back(match);
  }
  return {};
}

}  // namespace muster::engine
