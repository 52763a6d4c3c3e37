#include "engine/tokenizer/tokenizer_files.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "engine/tokenizer/tokenizer_shape.h"

namespace muster::engine {
namespace {

constexpr size_t kMaxBytes = 64u << 20;
constexpr char kConfig[] = "tokenizer_config.json", kMap[] = "special_tokens_map.json",
               kAdded[] = "added_tokens.json";
// The names of special tokens, in the order in which those that are new get their ids.
constexpr const char* kNames[] = {"bos_token", "eos_token", "unk_token", "sep_token",
                                  "pad_token", "cls_token", "mask_token"};
constexpr const char* kFlags[] = {"single_word", "lstrip", "rstrip", "normalized", "special"};

Error unsupported(const char* file, const std::string& key, const Json& value) {
  return {Code::kUnsupported,
          std::string(file) + ": " + key + " = " + value.dump() + " is not implemented"};
}

// An object; an empty one where there is no such file.
Result<Json> read_object(const Path& path, Hasher& hasher) {
  auto text = read_file(path, kMaxBytes);
  hasher.add_field(text ? *text : "");
  if (!text && text.error().code == Code::kNotFound) return Json::object();
  if (!text) return fail(text.error());
  auto parsed = parse_json(*text, kMaxBytes);
  if (!parsed) return fail(parsed.error().in(path.filename().string()));
  if (!parsed->is_object()) {
    return fail(Code::kDataLoss, path.filename().string() + ": it is no object");
  }
  return parsed;
}

// A class of transformers that builds its tokenizer anew from vocabulary and merges, whatever else
// tokenizer.json says.
struct Rebuilt {
  bool composes;     // NFC.
  const char* pads;  // Its own pad token; null: none.
};

std::optional<Rebuilt> rebuilt_by(const std::string& name) {
  if (name == "GPTNeoXTokenizer") return Rebuilt{true, "<|padding|>"};
  if (name == "GPT2Tokenizer") return Rebuilt{false, nullptr};
  return std::nullopt;
}

class Reader {
 public:
  static Result<TokenizerFiles> read(const Path& directory) {
    Reader reader;
    const Path path = directory / "tokenizer.json";
    MUSTER_TRY(const auto text, read_file(path, kMaxBytes));
    auto settings = parse_json(text, kMaxBytes);
    if (!settings) return fail(settings.error().in("tokenizer.json"));
    if (auto shape = check_tokenizer_shape(*settings); !shape) {
      return fail(shape.error().in("tokenizer.json"));
    }
    reader.settings_ = *std::move(settings);
    Hasher hasher;
    hasher.add_field(text);
    MUSTER_TRY(reader.config_, read_object(directory / kConfig, hasher));
    if (auto shape = check_tokenizer_config_shape(reader.config_); !shape) {
      return fail(shape.error().in(kConfig));
    }
    MUSTER_TRY(reader.map_, read_object(directory / kMap, hasher));
    MUSTER_TRY(reader.added_, read_object(directory / kAdded, hasher));
    MUSTER_TRY(const Json model, read_object(directory / "config.json", hasher));
    MUSTER_TRY_STATUS(reader.refuse_what_changes_all());
    MUSTER_TRY_STATUS(reader.apply_class(model));
    MUSTER_TRY_STATUS(reader.apply_decoder());
    MUSTER_TRY_STATUS(reader.apply_names());
    MUSTER_TRY_STATUS(reader.check_added());
    return TokenizerFiles{std::move(reader.settings_), reader.names_["bos_token"],
                          reader.names_["eos_token"], hasher.finish_sha256()};
  }

 private:
  Status refuse_what_changes_all() const {
    if (const Json& own = get_or_null(config_, "auto_map"); !own.is_null()) {
      return fail(unsupported(kConfig, "auto_map", own));
    }
    for (const char* key : {"model_specific_special_tokens", "init_inputs"}) {
      const Json& value = get_or_null(config_, key);
      if (!value.empty()) return fail(unsupported(kConfig, key, value));
    }
    const Json& split = get_or_null(config_, "split_special_tokens");
    if (!split.is_null() && split != false) {
      return fail(unsupported(kConfig, "split_special_tokens", split));
    }
    return {};
  }

  // Which class reads tokenizer.json: by tokenizer_config.json, else by config.json, else by the
  // family.
  Status apply_class(const Json& model) {
    const char* file = kConfig;
    Json name = get_or_null(config_, "tokenizer_class");
    if (name.is_null()) {
      file = "config.json";
      name = get_or_null(model, "tokenizer_class");
    }
    const Json& family = get_or_null(model, "model_type");
    if (!family.is_null() && !family.is_string()) {
      return fail(unsupported("config.json", "model_type", family));
    }
    if (name.is_null()) name = family == "gpt_neox" ? "GPTNeoXTokenizer" : "";
    if (!name.is_string()) return fail(unsupported(file, "tokenizer_class", name));
    auto text = name.get<std::string>();
    for (const char* as_it_is : {"", "PreTrainedTokenizerFast", "TokenizersBackend",
                                 "LlamaTokenizer", "LlamaTokenizerFast"}) {
      if (text == as_it_is) return {};
    }
    if (text.ends_with("Fast")) text.resize(text.size() - 4);
    const auto rebuilt = rebuilt_by(text);
    if (!rebuilt) return fail(unsupported(file, "tokenizer_class", name));
    return rebuild(*rebuilt);
  }

  Status rebuild(const Rebuilt& rebuilt) {
    const Json& space = get_or_null(config_, "add_prefix_space");
    if (!space.is_null() && !space.is_boolean()) {
      return fail(unsupported(kConfig, "add_prefix_space", space));
    }
    const Json& processor = get_or_null(settings_, "post_processor");
    if (rebuilt.composes && !processor.is_null() && get_or_null(processor, "type") != "ByteLevel") {
      return fail(unsupported("tokenizer.json", "post_processor under this tokenizer_class",
                              get_or_null(processor, "type")));
    }
    settings_["normalizer"] = rebuilt.composes ? Json{{"type", "NFC"}} : Json();
    settings_["pre_tokenizer"] =
        Json{{"type", "ByteLevel"}, {"add_prefix_space", space == true}, {"use_regex", true}};
    is_rebuilt_ = true;
    const Json& model = get_or_null(settings_, "model");
    settings_["model"] = Json{{"type", get_or_null(model, "type")},
                              {"vocab", get_or_null(model, "vocab")},
                              {"merges", get_or_null(model, "merges")}};
    for (const char* key : {"bos_token", "eos_token", "unk_token"}) {
      defaults_[key] = "<|endoftext|>";
    }
    if (rebuilt.pads != nullptr) defaults_["pad_token"] = rebuilt.pads;
    return {};
  }

  Json& tokens() {
    Json& list = settings_["added_tokens"];
    if (!list.is_array()) list = Json::array();
    return list;
  }
  Json* find_token(const std::string& text) {
    for (Json& token : tokens()) {
      if (get_or_null(token, "content") == text) return &token;
    }
    return nullptr;
  }
  // The id that an added token gets: the vocabulary's, else the next one behind all.
  [[nodiscard]] Json id_of(const std::string& text) {
    const Json& vocabulary = get_or_null(get_or_null(settings_, "model"), "vocab");
    const Json& known = get_or_null(vocabulary, text);
    if (!known.is_null()) return known;
    uint64_t next = vocabulary.size();
    for (const Json& token : tokens()) {
      const std::string content = get_string(token, "content").value_or("");
      next += get_or_null(vocabulary, content).is_null() ? 1 : 0;
    }
    return next;
  }
  // A token of this text has these flags from here on.
  void put_token(const std::string& text, const Json& flags) {
    Json* token = find_token(text);
    if (token == nullptr) {
      Json made{{"id", id_of(text)}, {"content", text}};
      token = &tokens().emplace_back(std::move(made));
    }
    for (const char* flag : kFlags) (*token)[flag] = flags.value(flag, false);
  }

  // Tokens that tokenizer_config.json adds, or gives other flags than tokenizer.json. Where it has
  // such a list, the class that builds anew knows no others, and special_tokens_map.json is not
  // looked at.
  Status apply_decoder() {
    const Json& decoder = get_or_null(config_, "added_tokens_decoder");
    if (decoder.is_null()) return {};
    map_ = Json::object();
    if (is_rebuilt_) tokens().clear();
    std::map<int64_t, const Json*> by_id;
    for (const auto& [id, token] : decoder.items()) {
      const bool is_number =
          !id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos;
      bool is_whole = is_number && get_or_null(token, "content").is_string();
      for (const char* flag : kFlags) is_whole &= get_or_null(token, flag).is_boolean();
      if (!is_whole) return fail(unsupported(kConfig, "added_tokens_decoder." + id, token));
      by_id[std::stoll(id)] = &token;
    }
    for (const auto& [id, token] : by_id) {
      put_token(token->at("content").get<std::string>(), *token);
    }
    return {};
  }

  // The text of a special token. An object has its flags, too: they must be what holds already.
  Result<std::string> text_of(const char* file, const std::string& key, const Json& value) {
    if (value.is_null()) return std::string();
    if (value.is_string()) return value.get<std::string>();
    const Json& content = get_or_null(value, "content");
    const bool is_token = content.is_string() && (std::string_view(file) != kConfig ||
                                                  get_or_null(value, "__type") == "AddedToken");
    Json* known = is_token ? find_token(content.get<std::string>()) : nullptr;
    if (known == nullptr) return fail(unsupported(file, key, value));
    for (const char* flag : kFlags) {
      const Json& said = get_or_null(value, flag);
      if (std::string_view(flag) == "special" || said.is_null()) continue;
      if (said != get_or_null(*known, flag)) return fail(unsupported(file, key, value));
    }
    return content.get<std::string>();
  }

  Status apply_names() {
    for (const char* name : kNames) {
      const Json &here = get_or_null(config_, name), &there = get_or_null(map_, name);
      MUSTER_TRY(std::string text, text_of(kConfig, name, here));
      MUSTER_TRY(const std::string mapped, text_of(kMap, name, there));
      if (!mapped.empty() && !text.empty() && mapped != text) {
        return fail(unsupported(kMap, name, there));
      }
      if (text.empty()) text = mapped;
      if (text.empty() && !config_.contains(name)) text = defaults_[name];
      names_[name] = text;
    }
    // Padding comes with a token, unless one is named otherwise, or a class says that it has none.
    if (!is_rebuilt_ && !config_.contains("pad_token") && names_["pad_token"].empty()) {
      const Json& padding = get_or_null(settings_, "padding");
      names_["pad_token"] = get_string(padding, "pad_token").value_or("");
    }
    MUSTER_TRY_STATUS(refuse_new_names(kConfig, config_));
    MUSTER_TRY_STATUS(refuse_new_names(kMap, map_));
    for (const char* name : kNames) MUSTER_TRY_STATUS(name_token(names_[name]));
    for (const auto& [file, source] : {std::pair{kConfig, &config_}, std::pair{kMap, &map_}}) {
      for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
        const Json& list = get_or_null(*source, key);
        if (list.is_null()) continue;
        if (!list.is_array()) return fail(unsupported(file, key, list));
        for (const Json& token : list) {
          MUSTER_TRY(const std::string text, text_of(file, key, token));
          MUSTER_TRY_STATUS(name_token(text));
        }
      }
    }
    return {};
  }

  // A model may name tokens of its own: whatever ends so. Two flags end so, too; they are passed
  // over where there is a tokenizer.json, but not in special_tokens_map.json.
  Status refuse_new_names(const char* file, const Json& named) {
    for (const auto& [key, value] : named.items()) {
      const bool is_known = std::any_of(std::begin(kNames), std::end(kNames),
                                        [&name = key](const char* known) { return name == known; });
      const bool is_name = key.ends_with("_token") && (value.is_string() || value.is_object());
      const bool is_flag = key == "add_bos_token" || key == "add_eos_token";
      if (is_flag && file == std::string_view(kMap)) return fail(unsupported(file, key, value));
      if (is_known || is_flag || !is_name) continue;
      MUSTER_TRY(const std::string text, text_of(file, key, value));
      if (find_token(text) == nullptr) return fail(unsupported(file, key, value));
    }
    return {};
  }

  // Whoever has a name is cut out of every text.
  Status name_token(const std::string& text) {
    if (!text.empty() && find_token(text) == nullptr) put_token(text, Json{{"special", true}});
    return {};
  }

  Status check_added() {
    for (const auto& [text, id] : added_.items()) {
      const Json* token = find_token(text);
      if (token == nullptr || get_or_null(*token, "id") != id) {
        return fail(unsupported(kAdded, "'" + text + "'", id));
      }
    }
    return {};
  }

  Json settings_, config_, map_, added_;
  bool is_rebuilt_ = false;
  std::map<std::string, std::string> defaults_, names_;
};

}  // namespace

Result<TokenizerFiles> read_tokenizer_files(const Path& directory) {
  return Reader::read(directory);
}

}  // namespace muster::engine
