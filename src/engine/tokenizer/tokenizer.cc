#include "engine/tokenizer/tokenizer.h"

#include <utf8proc.h>

#include <cstdlib>

#include "base/json.h"

namespace muster::engine {
namespace {

constexpr size_t kMaxTokenizerBytes = 64u << 20;

// The pattern of GPT-2's byte-level pre-tokenizer, "use_regex": true.
constexpr char kGpt2Pattern[] =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Error unsupported(const std::string& what) {
  return {Code::kUnsupported, what + " is not implemented"};
}

std::string escaped(const std::string& literal) {
  std::string out;
  for (char c : literal) {
    if (static_cast<unsigned char>(c) < 0x80 && !std::isalnum(static_cast<unsigned char>(c))) {
      out += '\\';
    }
    out += c;
  }
  return out;
}

bool is_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code_point = 0;
    const utf8proc_ssize_t used = utf8proc_iterate(bytes, left, &code_point);
    if (used <= 0) return false;
    bytes += used;
    left -= used;
  }
  return true;
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

// A token's text from tokenizer_config.json: a string, or an object with "content".
std::string token_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const Json& content = get_or_null(value, "content");
  return content.is_string() ? content.get<std::string>() : "";
}

// An optional JSON file: null when it is not there.
Result<Json> read_optional(const Path& path) {
  auto text = read_file(path, kMaxTokenizerBytes);
  if (!text)
    return text.error().code == Code::kNotFound ? Result<Json>(Json()) : fail(text.error());
  auto parsed = parse_json(*text, kMaxTokenizerBytes);
  if (!parsed) return fail(parsed.error().in(path.filename().string()));
  return parsed;
}

}  // namespace

Result<Tokenizer> Tokenizer::load(const Path& directory) {
  const Path path = directory / "tokenizer.json";
  MUSTER_TRY(auto text, read_file(path, kMaxTokenizerBytes));
  auto load = [&]() -> Result<Tokenizer> {
    MUSTER_TRY(const Json settings, parse_json(text, kMaxTokenizerBytes));
    Tokenizer tokenizer;
    MUSTER_TRY(tokenizer.bpe_, Bpe::load(get_or_null(settings, "model")));
    const Json& added = get_or_null(settings, "added_tokens");
    MUSTER_TRY(tokenizer.raw_added_, AddedTokens::load(added, false));
    MUSTER_TRY(tokenizer.normalized_added_, AddedTokens::load(added, true));
    MUSTER_TRY_STATUS(tokenizer.load_normalizer(get_or_null(settings, "normalizer")));
    MUSTER_TRY_STATUS(tokenizer.load_pre_tokenizer(get_or_null(settings, "pre_tokenizer")));
    if (!tokenizer.byte_level_) return fail(unsupported("a pre_tokenizer without ByteLevel"));
    if (tokenizer.add_prefix_space_ && tokenizer.splits_.size() > 1) {
      return fail(unsupported("pre_tokenizer.add_prefix_space behind another pre-tokenizer"));
    }
    MUSTER_TRY_STATUS(tokenizer.load_post_processor(get_or_null(settings, "post_processor")));
    MUSTER_TRY_STATUS(tokenizer.load_names(directory));
    return tokenizer;
  };
  auto loaded = load();
  if (!loaded) return fail(loaded.error().in(path.string()));
  return loaded;
}

Status Tokenizer::load_normalizer(const Json& settings) {
  if (settings.is_null()) return {};
  MUSTER_TRY(auto type, get_string(settings, "type"));
  if (type != "NFC") return fail(unsupported("normalizer.type = " + type));
  nfc_ = true;
  return {};
}

Status Tokenizer::load_pre_tokenizer(const Json& settings) {
  MUSTER_TRY(auto type, get_string(settings, "type"));
  std::string pattern;
  if (type == "Sequence") {
    for (const Json& step : get_or_null(settings, "pretokenizers")) {
      MUSTER_TRY_STATUS(load_pre_tokenizer(step));
    }
    return {};
  }
  if (type == "ByteLevel") {
    byte_level_ = true;
    const Json& use_regex = get_or_null(settings, "use_regex");
    add_prefix_space_ |= get_or_null(settings, "add_prefix_space") == true;
    pattern = use_regex == false ? "" : kGpt2Pattern;
  } else if (type == "Digits") {
    pattern = get_or_null(settings, "individual_digits") == true ? R"(\p{N})" : R"(\p{N}+)";
  } else if (type == "Split") {
    const Json& behavior = get_or_null(settings, "behavior");
    const Json& invert = get_or_null(settings, "invert");
    const Json& what = get_or_null(settings, "pattern");
    const Json& regex = get_or_null(what, "Regex");
    const Json& literal = get_or_null(what, "String");
    if (behavior != "Isolated")
      return fail(unsupported("pre_tokenizer.behavior " + behavior.dump()));
    if (invert == true) return fail(unsupported("pre_tokenizer.invert"));
    if (regex.is_string()) pattern = regex.get<std::string>();
    if (literal.is_string()) pattern = escaped(literal.get<std::string>());
    if (pattern.empty()) return fail(unsupported("pre_tokenizer.pattern " + what.dump()));
  } else {
    return fail(unsupported("pre_tokenizer.type = " + type));
  }
  if (pattern.empty()) pattern = R"((?s).+)";  // One piece: the whole text.
  MUSTER_TRY(auto compiled, Pattern::compile(pattern));
  splits_.push_back(std::move(compiled));
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
  bool behind = false;
  for (const Json& part : get_or_null(settings, "single")) {
    if (!get_or_null(part, "Sequence").is_null()) {
      behind = true;
      continue;
    }
    MUSTER_TRY(auto name, get_string(get_or_null(part, "SpecialToken"), "id"));
    const TokenId id = find(name);
    if (id < 0) return fail(Code::kDataLoss, "post_processor: no token '" + name + "'");
    (behind ? after_ : before_).push_back(id);
  }
  return {};
}

Status Tokenizer::load_names(const Path& directory) {
  MUSTER_TRY(const Json config, read_optional(directory / "tokenizer_config.json"));
  MUSTER_TRY(const Json names, read_optional(directory / "special_tokens_map.json"));
  for (const char* key : {"bos_token", "eos_token"}) {
    std::string text = token_text(get_or_null(config, key));
    if (text.empty()) text = token_text(get_or_null(names, key));
    if (text.empty() || find(text) < 0) continue;
    prefix_token_ = find(text);
    prefix_text_ = text;
    break;
  }
  return {};
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

Status Tokenizer::encode_plain(std::string_view text, std::vector<TokenId>& out) {
  if (!nfc_ && normalized_added_.empty()) return encode_normalized(text, out);
  std::string normal(text);
  if (nfc_) {
    MUSTER_TRY(normal, composed(text));
  }
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
  std::string with_space;
  if (add_prefix_space_ && text[0] != ' ') {
    with_space = ' ' + std::string(text);
    text = with_space;
  }
  std::vector<std::string_view> pieces = {text}, finer;
  for (const Pattern& split : splits_) {
    finer.clear();
    for (std::string_view piece : pieces) MUSTER_TRY_STATUS(split.split(piece, finer));
    pieces.swap(finer);
  }
  for (std::string_view piece : pieces) bpe_.encode(piece, out);
  return {};
}

}  // namespace muster::engine
