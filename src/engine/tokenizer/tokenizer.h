#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/result.h"
#include "engine/tokenizer/added_tokens.h"
#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/pre_tokenizer.h"

namespace muster::engine {

// Text to token ids, as Hugging Face's tokenizers library does it from the same tokenizer.json:
// added tokens are cut out, the rest is normalised, split by the pre-tokenizers and merged by BPE.
// Only byte-level BPE; a setting not implemented is an error that names it (kUnsupported).
class Tokenizer {
 public:
  // Reads a model directory's tokenizer.json and the files beside it (tokenizer_files.h).
  static Result<Tokenizer> load(const Path& directory);

  // The ids of `text` with the special tokens the tokenizer adds by default (a begin token, for
  // Llama's; none for GPT-2's), or without. Text that begins with the prefix token's own text
  // gets none added, as lm-eval has it. kDataLoss when `text` is not UTF-8.
  Result<std::vector<TokenId>> encode(std::string_view text, bool add_special);

  // Stands in for an empty context: the begin token, else the end token; -1 when neither exists.
  [[nodiscard]] TokenId prefix_token() const { return prefix_token_; }
  // Of the bytes of the files that it was read from.
  [[nodiscard]] const Digest& digest() const { return digest_; }

 private:
  Status load_added_tokens(const Json& list);
  Status load_post_processor(const Json& settings);
  Status load_normalizer(const Json& settings);
  [[nodiscard]] TokenId find(std::string_view text) const;
  [[nodiscard]] Result<std::string> normalize(std::string_view text) const;
  Status encode_plain(std::string_view text, std::vector<TokenId>& out);
  Status encode_normalized(std::string_view text, std::vector<TokenId>& out);

  Bpe bpe_;
  AddedTokens raw_added_, normalized_added_;
  bool nfc_ = false;
  PreTokenizer pre_tokenizer_;
  std::vector<std::string_view> pieces_;
  std::vector<TokenId> before_, after_;  // What the post-processor puts around a text.
  TokenId prefix_token_ = -1;
  std::string prefix_text_;
  Digest digest_;
};

}  // namespace muster::engine
