#include "engine/tokenizer/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/json.h"
#include "base/printable.h"
#include "engine/tokenizer/tokenizer_files.h"

namespace muster::engine {
namespace {

Error unsupported(const std::string& what) {
  return {Code::kUnsupported, what + " is not implemented"};
}

// Composed form (NFC) of valid UTF-8 without zero bytes cut off.
Result<std::string> composed(std::string_view text) {
  utf8proc_uint8_t* out = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &out,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) return fail(Code::kDataLoss, "a text could not be normalised to NFC");
  std::string result(reinterpret_cast<char*>(out), static_cast<size_t>(size));
  std::free(out);
  return result;
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const Path& directory) {
  auto files = read_tokenizer_files(directory);
  if (!files) return fail(files.error().in(directory.string()));
  auto load = [&]() -> Result<Tokenizer> {
    const Json& settings = files->settings;
    Tokenizer tokenizer;
    MUSTER_TRY(tokenizer.bpe_, Bpe::load(get_or_null(settings, "model")));
    MUSTER_TRY_STATUS(tokenizer.load_normalizer(get_or_null(settings, "normalizer")));
    MUSTER_TRY_STATUS(tokenizer.load_added_tokens(get_or_null(settings, "added_tokens")));
    MUSTER_TRY(tokenizer.pre_tokenizer_,
               PreTokenizer::load(get_or_null(settings, "pre_tokenizer")));
    MUSTER_TRY_STATUS(tokenizer.load_post_processor(get_or_null(settings, "post_processor")));
    tokenizer.digest_ = files->digest;
    tokenizer.prefix_text_ = files->begin.empty() ? files->end : files->begin;
    if (!tokenizer.prefix_text_.empty()) {
      tokenizer.prefix_token_ = tokenizer.find(tokenizer.prefix_text_);
    }
    return tokenizer;
  };
  auto loaded = load();
  if (!loaded) return fail(loaded.error().in((directory / "tokenizer.json").string()));
  return loaded;
}

Status Tokenizer::load_normalizer(const Json& settings) {
  if (settings.is_null()) return {};
  MUSTER_TRY(auto type, get_string(settings, "type"));
  if (type == "Sequence") {
    for (const Json& step : get_or_null(settings, "normalizers")) {
      MUSTER_TRY_STATUS(load_normalizer(step));
    }
    return {};
  }
  if (type != "NFC") return fail(unsupported("normalizer.type = " + type));
  nfc_ = true;
  return {};
}

// One that the model has has the model's id; the others have those behind it, in their order, and
// one that stands twice has one. The reference does not look at what the file says instead.
Status Tokenizer::load_added_tokens(const Json& list) {
  MUSTER_TRY(auto tokens, read_added_tokens(list));
  std::vector<AddedToken> raw, normalized;
  std::map<std::string, TokenId> ids;
  auto next = static_cast<TokenId>(bpe_.size());
  for (AddedToken& token : tokens) {
    const TokenId known = bpe_.find(token.text);
    const auto [id, is_new] = ids.emplace(token.text, known >= 0 ? known : next);
    next += is_new && known < 0 ? 1 : 0;
    if (token.id != id->second) {
      return fail(unsupported("added_tokens: id " + std::to_string(token.id) + " of '" +
                              token.text + "', which would get " + std::to_string(id->second) +
                              ","));
    }
    if (token.normalized) {
      MUSTER_TRY(token.text, normalize(token.text));
    }
    if (!token.text.empty()) (token.normalized ? normalized : raw).push_back(std::move(token));
  }
  raw_added_ = AddedTokens(raw);
  normalized_added_ = AddedTokens(normalized);
  return {};
}

Status Tokenizer::load_post_processor(const Json& settings) {
  if (settings.is_null()) return {};
  MUSTER_TRY(auto type, get_string(settings, "type"));
  if (type == "ByteLevel") return {};  // Moves offsets only.
  if (type == "Sequence") {
    for (const Json& step : get_or_null(settings, "processors")) {
      MUSTER_TRY_STATUS(load_post_processor(step));
    }
    return {};
  }
  if (type != "TemplateProcessing") return fail(unsupported("post_processor.type = " + type));
  if (!before_.empty() || !after_.empty()) return fail(unsupported("a second post_processor"));
  const Json& special = get_or_null(settings, "special_tokens");
  bool behind = false;
  for (const Json& part : get_or_null(settings, "single")) {
    if (const Json& sequence = get_or_null(part, "Sequence"); !sequence.is_null()) {
      if (behind || get_or_null(sequence, "id") != "A") {
        return fail(unsupported("post_processor.single = " + part.dump()));
      }
      behind = true;
      continue;
    }
    MUSTER_TRY(auto name, get_string(get_or_null(part, "SpecialToken"), "id"));
    const Json& ids = get_or_null(get_or_null(special, name), "ids");
    if (!ids.is_array()) {
      return fail(Code::kDataLoss, "post_processor.special_tokens has no '" + name + "'");
    }
    for (const Json& id : ids) {
      const bool fits = id.is_number_unsigned() && id.get<uint64_t>() <= INT32_MAX;
      if (!fits) return fail(Code::kDataLoss, "post_processor: an id that is none");
      (behind ? after_ : before_).push_back(id.get<TokenId>());
    }
  }
  if (behind) return {};
  return fail(unsupported("a post_processor without the text"));
}

TokenId Tokenizer::find(std::string_view text) const {
  if (const TokenId id = raw_added_.find(text); id >= 0) return id;
  if (const TokenId id = normalized_added_.find(text); id >= 0) return id;
  return bpe_.find(std::string(text));
}

Result<std::vector<TokenId>> Tokenizer::encode(std::string_view text, bool add_special) {
  if (!is_utf8(text)) return fail(Code::kDataLoss, "a text to encode is not UTF-8");
  const bool has_prefix =
      !prefix_text_.empty() && text.substr(0, prefix_text_.size()) == prefix_text_;
  const bool around = add_special && !has_prefix;
  std::vector<TokenId> ids = around ? before_ : std::vector<TokenId>();
  std::vector<AddedTokens::Piece> pieces;
  raw_added_.split(text, pieces);
  for (const auto& piece : pieces) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
    } else {
      MUSTER_TRY_STATUS(encode_plain(piece.text, ids));
    }
  }
  if (around) ids.insert(ids.end(), after_.begin(), after_.end());
  return ids;
}

Result<std::string> Tokenizer::normalize(std::string_view text) const {
  const bool is_ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0; });
  return nfc_ && !is_ascii ? composed(text) : Result<std::string>(std::string(text));
}

Status Tokenizer::encode_plain(std::string_view text, std::vector<TokenId>& out) {
  if (!nfc_ && normalized_added_.empty()) return encode_normalized(text, out);
  MUSTER_TRY(const std::string normal, normalize(text));
  std::vector<AddedTokens::Piece> pieces;
  normalized_added_.split(normal, pieces);
  for (const auto& piece : pieces) {
    if (piece.id >= 0) {
      out.push_back(piece.id);
    } else {
      MUSTER_TRY_STATUS(encode_normalized(piece.text, out));
    }
  }
  return {};
}

Status Tokenizer::encode_normalized(std::string_view text, std::vector<TokenId>& out) {
  pieces_.clear();
  MUSTER_TRY_STATUS(pre_tokenizer_.split(text, pieces_));
  for (std::string_view piece : pieces_) bpe_.encode(piece, out);
  return {};
}

}  // namespace muster::engine
