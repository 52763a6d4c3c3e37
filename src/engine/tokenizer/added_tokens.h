#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/tokenizer/bpe.h"

namespace muster::engine {

// Tokens that are cut out of a text before anything else sees it: "<|endoftext|>", runs of spaces.
// Leftmost match first, the longest of those that begin there.
class AddedTokens {
 public:
  struct Piece {
    std::string_view text;
    TokenId id = -1;  // -1: plain text, still to be encoded.
  };

  // From the "added_tokens" list of tokenizer.json, those whose "normalized" is `normalized`
  // (they are looked for before and after normalisation respectively).
  static Result<AddedTokens> load(const Json& list, bool normalized);

  void split(std::string_view text, std::vector<Piece>& pieces) const;
  // The id of the added token with exactly this text; -1 when there is none.
  [[nodiscard]] TokenId find(std::string_view text) const;
  [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
  struct Token {
    std::string text;
    TokenId id;
    bool strip_left, strip_right;  // Takes the white space beside it along.
  };
  [[nodiscard]] const Token* longest_at(std::string_view rest) const;

  std::vector<Token> tokens_;                        // Longest first.
  std::array<std::vector<size_t>, 256> by_first_{};  // Indices into tokens_, in that order.
};

}  // namespace muster::engine
