#include "engine/tokenizer/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace muster::engine {

struct Pattern::Compiled {
  pcre2_code* code = nullptr;
  pcre2_match_data* match = nullptr;
  pcre2_match_context* limits = nullptr;
  ~Compiled() {
    pcre2_match_context_free(limits);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
  }
};

Result<Pattern> Pattern::compile(const std::string& pattern) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto compiled = std::make_shared<Compiled>();
  compiled->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (compiled->code == nullptr) {
    PCRE2_UCHAR words[256];
    pcre2_get_error_message(error, words, sizeof words);
    return fail(Code::kUnsupported, "pattern '" + pattern +
                                        "': " + reinterpret_cast<const char*>(words) + " at " +
                                        std::to_string(offset));
  }
  pcre2_jit_compile(compiled->code, PCRE2_JIT_COMPLETE);  // Without it, merely slower.
  compiled->match = pcre2_match_data_create_from_pattern(compiled->code, nullptr);
  compiled->limits = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(compiled->limits, 10'000'000);
  Pattern out;
  out.compiled_ = std::move(compiled);
  return out;
}

Status Pattern::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t done = 0;  // Everything before has been put into pieces.
  size_t from = 0;
  while (from < text.size()) {
    const int found = pcre2_match(compiled_->code, subject, text.size(), from, PCRE2_NO_UTF_CHECK,
                                  compiled_->match, compiled_->limits);
    if (found == PCRE2_ERROR_NOMATCH) break;
    if (found < 0) {
      return fail(Code::kUnsupported, "a pre-tokenizer pattern gave up on a text (PCRE2 error " +
                                          std::to_string(found) + ")");
    }
    const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(compiled_->match);
    const size_t start = bounds[0], end = bounds[1];
    if (end == start) {  // An empty match splits nothing; go on behind the next character.
      from = end + 1;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80) ++from;
      continue;
    }
    if (start > done) pieces.push_back(text.substr(done, start - done));
    pieces.push_back(text.substr(start, end - start));
    done = from = end;
  }
  if (done < text.size()) pieces.push_back(text.substr(done));
  return {};
}

}  // namespace muster::engine
