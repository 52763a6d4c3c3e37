#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::engine {

// A compiled regular expression over UTF-8 text, with Unicode classes (PCRE2, compiled to machine
// code, match limits set). Patterns come from tokenizer.json, which is foreign.
class Pattern {
 public:
  // kUnsupported with PCRE2's own words when the pattern does not compile.
  static Result<Pattern> compile(const std::string& pattern);

  // Appends the pieces of `text` in order: what matches and what lies between, each on its own
  // (the "Isolated" behaviour of tokenizers). `text` must be valid UTF-8. kUnsupported when a
  // match limit is hit.
  Status split(std::string_view text, std::vector<std::string_view>& pieces) const;

 private:
  struct Compiled;
  Pattern() = default;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace muster::engine
