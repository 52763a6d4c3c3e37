#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::engine {

// A stretch of a text: [begin, end), in bytes.
struct Span {
  size_t begin, end;
};

// A compiled regular expression over UTF-8 text, of the engine that the tokenizers package has:
// Oniguruma, in its default syntax, with that package's version of Unicode. Patterns come from
// tokenizer.json, which is foreign: matching is bounded. Not safe for two threads.
class Pattern {
 public:
  // kUnsupported, with Oniguruma's own words, when the pattern does not compile, or is longer than
  // 4096 bytes.
  static Result<Pattern> compile(const std::string& pattern);
  // Matches this very text.
  static Result<Pattern> literal(const std::string& text);

  // Appends every match in `text` (valid UTF-8), from left to right. An empty match is one, unless
  // it stands where the last match ended. kUnsupported when the bound is hit, or when the text has
  // a code point that this pattern may take otherwise than the reference does.
  Status find_all(std::string_view text, std::vector<Span>& matches) const;
  // The end of the match that begins at `from`, kUnsupported where there is none.
  Result<size_t> match_end(std::string_view text, size_t from) const;

 private:
  struct Compiled;
  Pattern() = default;
  [[nodiscard]] Status check(std::string_view text) const;
  [[nodiscard]] Error gave_up(int error) const;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace muster::engine
