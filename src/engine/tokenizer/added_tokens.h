#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/tokenizer/bpe.h"

namespace muster::engine {

struct AddedToken {
  std::string text;
  TokenId id = -1;
  bool strip_left = false, strip_right = false;  // Takes the white space beside it along.
  bool normalized = false;  // Looked for in the normalised text, in its own normalised form.
};

// The "added_tokens" list of tokenizer.json. kDataLoss for an entry without text or id,
// kUnsupported names a setting that is not implemented.
Result<std::vector<AddedToken>> read_added_tokens(const Json& list);

// Tokens that are cut out of a text before anything else sees it: "<|endoftext|>", runs of spaces.
// Leftmost match first, the longest of those that begin there.
class AddedTokens {
 public:
  struct Piece {
    std::string_view text;
    TokenId id = -1;  // -1: plain text, still to be encoded.
  };

  AddedTokens() = default;
  // No text is empty.
  explicit AddedTokens(const std::vector<AddedToken>& tokens);

  // Of valid UTF-8.
  void split(std::string_view text, std::vector<Piece>& pieces) const;
  // The id of the added token with exactly this text; -1 when there is none.
  [[nodiscard]] TokenId find(std::string_view text) const;
  [[nodiscard]] bool empty() const { return tokens_.empty(); }

 private:
  [[nodiscard]] const AddedToken* longest_at(std::string_view rest) const;

  std::vector<AddedToken> tokens_;                   // Longest first.
  std::array<std::vector<size_t>, 256> by_first_{};  // Indices into tokens_, in that order.
};

}  // namespace muster::engine
