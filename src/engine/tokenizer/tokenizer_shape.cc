#include "engine/tokenizer/tokenizer_shape.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/json_shape.h"

namespace muster::engine {
namespace {

using namespace json_type;

bool is_side(const Json& value) { return value == "Left" || value == "Right"; }
bool is_lower_side(const Json& value) { return value == "left" || value == "right"; }
bool is_list_of_whole(const Json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), is_whole_number);
}
bool is_list_of_text(const Json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
}
bool is_padding(const Json& value) {
  return value == "BatchLongest" || is_whole_number(get_or_null(value, "Fixed"));
}
bool is_cutting(const Json& value) {
  return value == "LongestFirst" || value == "OnlyFirst" || value == "OnlySecond";
}
bool is_text_of_template(const Json& value) { return value == "A" || value == "B"; }
bool is_decoder(const Json& value) {
  constexpr const char* kTypes[] = {"BPEDecoder", "ByteLevel",   "WordPiece", "Metaspace",
                                    "CTC",        "Sequence",    "Replace",   "Fuse",
                                    "Strip",      "ByteFallback"};
  return value.is_null() ||
         std::any_of(std::begin(kTypes), std::end(kTypes),
                     [&](const char* type) { return get_or_null(value, "type") == type; });
}

constexpr JsonField kFile[] = {
    {"version", {"\"1.0\"", [](const Json& value) { return value == "1.0"; }}, false},
    {"truncation", kObjectOrNull, false},
    {"padding", kObjectOrNull, false},
    {"added_tokens", kList, false},
    {"normalizer", kObjectOrNull, false},
    {"pre_tokenizer", kObjectOrNull, false},
    {"post_processor", kObjectOrNull, false},
    {"decoder", {"a decoder or null", is_decoder}, false},
    {"model", kObject}};
constexpr JsonField kTruncation[] = {{"direction", {"a side", is_side}, false},
                                     {"max_length", kWhole},
                                     {"strategy", {"a strategy", is_cutting}},
                                     {"stride", kWhole}};
constexpr JsonField kPadding[] = {{"strategy", {"a strategy", is_padding}},
                                  {"direction", {"a side", is_side}},
                                  {"pad_to_multiple_of", kWholeOrNull, false},
                                  {"pad_id", kWhole},
                                  {"pad_type_id", kWhole},
                                  {"pad_token", kText}};
constexpr JsonField kAddedToken[] = {{"id", kWhole},    {"content", kText}, {"single_word", kFlag},
                                     {"lstrip", kFlag}, {"rstrip", kFlag},  {"normalized", kFlag},
                                     {"special", kFlag}};
constexpr JsonField kByteLevel[] = {
    {"add_prefix_space", kFlag}, {"trim_offsets", kFlag}, {"use_regex", kFlag, false}};
constexpr JsonField kModel[] = {{"type", kText, false},
                                {"dropout", kNumberOrNull, false},
                                {"unk_token", kTextOrNull, false},
                                {"continuing_subword_prefix", kTextOrNull, false},
                                {"end_of_word_suffix", kTextOrNull, false},
                                {"fuse_unk", kFlagOrNull, false},
                                {"byte_fallback", kFlagOrNull, false},
                                {"ignore_merges", kFlagOrNull, false}};
constexpr JsonField kTemplate[] = {{"single", kList}, {"pair", kList}, {"special_tokens", kObject}};
constexpr JsonField kSpecialPart[] = {{"id", kText}, {"type_id", kWhole}};
constexpr JsonField kTextPart[] = {{"id", {"A or B", is_text_of_template}}, {"type_id", kWhole}};
constexpr JsonField kSpecial[] = {{"id", kText},
                                  {"ids", {"a list of ids", is_list_of_whole}},
                                  {"tokens", {"a list of strings", is_list_of_text}}};

constexpr JsonField kConfig[] = {{"padding_side", {"left or right", is_lower_side}, false},
                                 {"truncation_side", {"left or right", is_lower_side}, false},
                                 {"model_max_length", kNumberOrNull, false},
                                 {"split_special_tokens", kFlag, false},
                                 {"added_tokens_decoder", kObject, false},
                                 {"auto_map", kObject, false}};

Status check_template(const std::string& where, const Json& settings) {
  MUSTER_TRY_STATUS(check_fields(where, settings, kTemplate));
  for (const char* form : {"single", "pair"}) {
    for (const Json& part : settings[form]) {
      const bool is_special = part.is_object() && part.contains("SpecialToken");
      const char* key = is_special ? "SpecialToken" : "Sequence";
      const std::span<const JsonField> fields = is_special ? std::span(kSpecialPart) : kTextPart;
      MUSTER_TRY_STATUS(
          check_fields(where + "." + form + "." + key, get_or_null(part, key), fields));
    }
  }
  const std::string specials = where + ".special_tokens.";
  for (const auto& [name, token] : settings["special_tokens"].items()) {
    MUSTER_TRY_STATUS(check_fields(specials + name, token, kSpecial));
  }
  return {};
}

// A step of a normalizer, pre_tokenizer, post_processor or decoder; `list` is how a Sequence of
// that kind calls its own.
Status check_step(const std::string& where, const Json& step, const char* list) {
  if (step.is_null()) return {};
  const Json& type = get_or_null(step, "type");
  if (!type.is_string()) return fail(Code::kUnsupported, where + ".type must be a string");
  if (type == "ByteLevel") return check_fields(where, step, kByteLevel);
  if (type == "TemplateProcessing") return check_template(where, step);
  if (type != "Sequence") return {};
  const Json& steps = get_or_null(step, list);
  if (!steps.is_array()) {
    return fail(Code::kUnsupported, where + "." + list + " must be a list");
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string name = where + "." + list + "." + std::to_string(i);
    if (steps[i].is_null()) return fail(Code::kUnsupported, name + " must be an object");
    MUSTER_TRY_STATUS(check_step(name, steps[i], list));
  }
  return {};
}

}  // namespace

Status check_tokenizer_shape(const Json& settings) {
  MUSTER_TRY_STATUS(check_fields("", settings, kFile));
  for (const auto& [key, value] : settings.items()) {
    const auto is_it = [&name = key](const JsonField& field) { return field.key == name; };
    if (std::any_of(std::begin(kFile), std::end(kFile), is_it)) continue;
    return fail(Code::kUnsupported, "'" + key + "' is no field of a tokenizer");
  }
  if (const Json& cuts = get_or_null(settings, "truncation"); !cuts.is_null()) {
    MUSTER_TRY_STATUS(check_fields("truncation", cuts, kTruncation));
  }
  if (const Json& pads = get_or_null(settings, "padding"); !pads.is_null()) {
    MUSTER_TRY_STATUS(check_fields("padding", pads, kPadding));
  }
  const Json& added = get_or_null(settings, "added_tokens");
  for (size_t i = 0; i < added.size(); ++i) {
    MUSTER_TRY_STATUS(check_fields("added_tokens." + std::to_string(i), added[i], kAddedToken));
  }
  constexpr std::pair<const char*, const char*> kSteps[] = {{"normalizer", "normalizers"},
                                                            {"pre_tokenizer", "pretokenizers"},
                                                            {"post_processor", "processors"},
                                                            {"decoder", "decoders"}};
  for (const auto& [kind, list] : kSteps) {
    MUSTER_TRY_STATUS(check_step(kind, get_or_null(settings, kind), list));
  }
  return check_fields("model", settings["model"], kModel);
}

Status check_tokenizer_config_shape(const Json& settings) {
  return check_fields("", settings, kConfig);
}

}  // namespace muster::engine
