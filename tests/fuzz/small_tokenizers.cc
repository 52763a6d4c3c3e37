#include "small_tokenizers.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "base/check.h"
#include "engine/tokenizer/bpe.h"

namespace muster::fuzz {
namespace {

constexpr const char* kMerges[][2] = {{"a", "b"}, {"ab", "c"}, {"Ġ", "a"}, {"Ġa", "b"},
                                      {"l", "l"}, {"Ã", "©"},  {"b", "b"}, {"'", "ll"},
                                      {"Ġ", "Ġ"}, {"1", "2"}};

Json model(bool as_pairs) {
  Json vocabulary = Json::object(), merges = Json::array();
  for (const std::string& letter : engine::byte_alphabet()) {
    vocabulary[letter] = vocabulary.size();
  }
  for (const auto& [left, right] : kMerges) {
    const std::string merged = std::string(left) + right;
    if (!vocabulary.contains(merged)) vocabulary[merged] = vocabulary.size();
    as_pairs ? merges.push_back(Json::array({left, right}))
             : merges.push_back(std::string(left) + " " + right);
  }
  return {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", merges}};
}

Json added(int64_t id, const char* text, bool left, bool right, bool normalized) {
  return {{"id", id},        {"content", text},          {"single_word", false}, {"lstrip", left},
          {"rstrip", right}, {"normalized", normalized}, {"special", true}};
}

const Json kByteLevel = {
    {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};
const Json kPlainByteLevel = {{"type", "ByteLevel"},
                              {"add_prefix_space", true},
                              {"trim_offsets", true},
                              {"use_regex", false}};

Json split(const char* pattern, const char* behavior, bool invert) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", pattern}}},
          {"behavior", behavior},
          {"invert", invert}};
}

Json sequence(const char* name, Json steps) {
  Json out = {{"type", "Sequence"}};
  out[name] = std::move(steps);
  return out;
}

// With the tokens that `steps` cuts, as a file of the newer kind.
Json newer(const Json& steps) {
  const auto next = static_cast<int64_t>(model(true)["vocab"].size());
  Json text = {{"id", "A"}, {"type_id", 0}}, begin = {{"id", "<s>"}, {"type_id", 0}};
  Json processor = {
      {"type", "TemplateProcessing"},
      {"single", {{{"SpecialToken", begin}}, {{"Sequence", text}}}},
      {"pair", Json::array()},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {next}}, {"tokens", {"<s>"}}}}}}};
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens",
           {added(next, "<s>", false, false, false), added(next + 1, "<mask>", true, true, false),
            added(next + 2, "  ", false, false, true), added(next + 3, "é!", false, true, true)}},
          {"normalizer", {{"type", "NFC"}}},
          {"pre_tokenizer", steps},
          {"post_processor", processor},
          {"decoder", nullptr},
          {"model", model(true)}};
}

constexpr char kTokenizerConfig[] =
    R"({"tokenizer_class":"PreTrainedTokenizerFast","bos_token":"<s>","eos_token":"<s>",)"
    R"("pad_token":{"content":"<s>","__type":"AddedToken","lstrip":false},"model_max_length":512,)"
    R"("added_tokens_decoder":{"3":{"content":"$","lstrip":false,"normalized":false,)"
    R"("rstrip":false,"single_word":false,"special":true}}})";

}  // namespace

std::vector<TokenizerTexts> small_tokenizers() {
  const Json older = {{"pre_tokenizer", kByteLevel}, {"model", model(false)}};
  const Json split_words =
      sequence("pretokenizers", {split(R"(\p{L}+|\s+(?!\S))", "Isolated", false), kPlainByteLevel});
  Json other_ways = Json::array();
  for (const char* behavior :
       {"Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous", "Isolated"}) {
    other_ways.push_back(split("b|\\d", behavior, other_ways.size() % 2 == 1));
  }
  other_ways.push_back({{"type", "Digits"}, {"individual_digits", true}});
  other_ways.push_back(kPlainByteLevel);
  other_ways.push_back({{"type", "Split"},
                        {"pattern", {{"String", "Ġ"}}},
                        {"behavior", "MergedWithNext"},
                        {"invert", false}});
  return {{older.dump(), "", "", "", ""},
          {newer(split_words).dump(), kTokenizerConfig, "", "", R"({"model_type":"llama"})"},
          {newer(sequence("pretokenizers", other_ways)).dump(), "{}",
           R"({"bos_token":"<s>","additional_special_tokens":["<mask>","<new>"]})",
           R"({"<s>":)" + std::to_string(model(true)["vocab"].size()) + "}", "{}"},
          {older.dump(), R"({"tokenizer_class":"GPT2Tokenizer","add_prefix_space":true})", "", "",
           R"({"model_type":"gpt_neox"})"},
          {older.dump(), "", "", "", R"({"model_type":"gpt_neox"})"}};
}

TokenizerFolder::TokenizerFolder() {
  // In memory where that can be: the files are written for every input.
  std::error_code error;
  const bool has_memory = std::filesystem::is_directory("/dev/shm", error);
  const Path top = has_memory ? Path("/dev/shm") : std::filesystem::temp_directory_path();
  std::string name = top / "fuzz-XXXXXX";
  MUSTER_CHECK(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TokenizerFolder::~TokenizerFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

void TokenizerFolder::write(const TokenizerTexts& texts) const {
  const std::pair<const char*, const std::string*> files[] = {
      {"tokenizer.json", &texts.tokenizer},
      {"tokenizer_config.json", &texts.config},
      {"special_tokens_map.json", &texts.map},
      {"added_tokens.json", &texts.added},
      {"config.json", &texts.model}};
  for (const auto& [name, text] : files) {
    if (text->empty()) {
      std::error_code error;
      std::filesystem::remove(path_ / name, error);
    } else {
      std::ofstream(path_ / name, std::ios::binary) << *text;
    }
  }
}

}  // namespace muster::fuzz
