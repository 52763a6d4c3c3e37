#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace muster::engine {

using TokenId = int32_t;

// Byte-pair encoding over the byte alphabet of GPT-2: every byte has a printable stand-in, so any
// text can be encoded. Turns one pre-token (no longer than a word, as a rule) into token ids by
// merging the adjacent pair of lowest rank, leftmost first, until no pair is in the merge list.
//
// Source: Sennrich et al., ACL 2016, as Hugging Face's tokenizers apply it.
class Bpe {
 public:
  // From the "model" object of tokenizer.json. kUnsupported names a setting this class does not
  // implement; kDataLoss a merge whose parts or result are not in the vocabulary.
  static Result<Bpe> load(const Json& model);

  // Appends the ids of `pre_token` (raw bytes). Remembers short ones; not safe for two threads.
  // Cost: n log n in the pre-token's bytes.
  void encode(std::string_view pre_token, std::vector<TokenId>& out);

  // The id whose text, in the printable stand-ins, is `text`; -1 when there is none.
  [[nodiscard]] TokenId find(const std::string& text) const;
  [[nodiscard]] size_t size() const { return ids_.size(); }

 private:
  struct Merge {
    int32_t rank;
    TokenId merged;
  };
  static uint64_t pair_key(TokenId left, TokenId right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  Status load_vocabulary(const Json& vocabulary, const std::string& unknown_token);
  Status load_merges(const Json& merges);
  Status add_merge(const std::string& left, const std::string& right);
  void merge(std::string_view pre_token, std::vector<TokenId>& out) const;

  std::unordered_map<std::string, TokenId> ids_;
  std::unordered_map<uint64_t, Merge> merges_;
  int32_t next_rank_ = 0;
  std::vector<TokenId> byte_ids_;  // [256]; -1: makes no token
  bool ignore_merges_ = false;     // A pre-token that is a whole entry is taken as it is.
  std::unordered_map<std::string, std::vector<TokenId>> cache_;  // Bounded, emptied when full.
};

// The printable stand-in of each byte, as UTF-8: 0x20 is "Ġ". [256]
const std::vector<std::string>& byte_alphabet();

}  // namespace muster::engine
