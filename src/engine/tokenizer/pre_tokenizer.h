#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/tokenizer/gpt2_pieces.h"
#include "engine/tokenizer/pattern.h"

namespace muster::engine {

// Cuts a text into the pieces that byte-pair encoding takes one by one: the "pre_tokenizer" of
// tokenizer.json, a list of steps of which each cuts what the one before has left. One of them is
// ByteLevel, which turns bytes into their printable stand-ins; steps behind it see those.
class PreTokenizer {
 public:
  // kUnsupported names a setting that this class does not implement. 32 steps at most.
  static Result<PreTokenizer> load(const Json& settings);

  // Appends the pieces of `text` (valid UTF-8, not empty) in order, as the bytes they stand for:
  // what is left of the text's own ones where steps behind ByteLevel cut between them. Valid until
  // the next call.
  Status split(std::string_view text, std::vector<std::string_view>& pieces);

 private:
  // What becomes of the pieces that match.
  enum class Behavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };
  struct Step {
    std::optional<Pattern> pattern;
    std::optional<Gpt2Pieces> gpt2;  // Instead, in ByteLevel.
    Behavior behavior = Behavior::kIsolated;
    bool inverted = false;  // What does not match is taken for what does.
    bool is_byte_level = false;
    bool is_digits = false;   // Which need no pattern in ASCII.
    bool adds_space = false;  // Before each piece that does not begin with one.
  };
  struct Part {
    Span span;
    bool is_match;
  };
  Status add(const Json& settings);
  Status add_split(const Json& settings);
  Status run(const Step& step, std::vector<std::string_view>& pieces);
  Status cut(const Step& step, std::string_view piece, std::vector<std::string_view>& out);
  static std::vector<Part> kept(const std::vector<Part>& parts, Behavior behavior);
  std::string_view own(std::string text);

  std::vector<Step> steps_;
  bool letters_are_seen_ = false;  // By a step behind ByteLevel.
  std::deque<std::string> owned_;  // Texts that are not the caller's.
  std::vector<Span> matches_;
  std::vector<std::string_view> pieces_, finer_;
};

}  // namespace muster::engine
