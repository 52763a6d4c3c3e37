// The files of a tokenizer (engine/tokenizer/tokenizer_files.h, tokenizer.h): tokenizer.json and
// the four that change it, in this order, with a zero byte between them. A tokenizer that is let in
// gives texts ids that its files name, and the same ones each time and when it is loaded again;
// what is refused is refused with one of three codes and names a file. Loading takes at most 8 MiB
// and 200 bytes a byte of the files, besides 16 KiB a byte of patterns.
#include "engine/tokenizer/tokenizer.h"

#include <set>

#include "base/check.h"
#include "engine/tokenizer/tokenizer_files.h"
#include "input.h"
#include "memory.h"
#include "small_tokenizers.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using engine::TokenId;
using engine::Tokenizer;

constexpr size_t kMemory = 8 << 20, kMemoryPerByte = 200;
constexpr const char* kTexts[] = {"",
                                  " ",
                                  "abc abb  12\n",
                                  "It's caf\xc3\xa9, <s>cafe\xcc\x81!",
                                  "a <mask> b",
                                  "\x01\x7f\xf0\x9f\x98\x80"};

// Every id that some file names.
std::set<TokenId> ids_of(const Json& settings) {
  std::set<TokenId> ids;
  const auto add = [&](const Json& id) {
    if (id.is_number_integer()) ids.insert(id.get<TokenId>());
  };
  for (const Json& id : get_or_null(get_or_null(settings, "model"), "vocab")) add(id);
  for (const Json& token : get_or_null(settings, "added_tokens")) add(get_or_null(token, "id"));
  const auto add_specials = [&](const Json& processor, const auto& self) -> void {
    for (const Json& token : get_or_null(processor, "special_tokens")) {
      for (const Json& id : get_or_null(token, "ids")) add(id);
    }
    for (const Json& step : get_or_null(processor, "processors")) self(step, self);
  };
  add_specials(get_or_null(settings, "post_processor"), add_specials);
  return ids;
}

void check_tokenizer(Tokenizer& tokenizer, const Path& folder) {
  const auto files = engine::read_tokenizer_files(folder);
  MUSTER_CHECK(files && files->digest == tokenizer.digest());
  const std::set<TokenId> known = ids_of(files->settings);
  MUSTER_CHECK(tokenizer.prefix_token() == -1 || known.contains(tokenizer.prefix_token()));
  auto again = Tokenizer::load(folder);
  MUSTER_CHECK(again);
  for (const char* text : kTexts) {
    const auto ids = tokenizer.encode(text, true), same = tokenizer.encode(text, true);
    const auto reloaded = again->encode(text, true);
    MUSTER_CHECK(ids.has_value() == same.has_value() && ids.has_value() == reloaded.has_value());
    if (!ids) {
      MUSTER_CHECK(ids.error().code == Code::kUnsupported);
      continue;
    }
    MUSTER_CHECK(*ids == *same && *ids == *reloaded);
    for (const TokenId id : *ids) MUSTER_CHECK(known.contains(id));
  }
}

}  // namespace

void run(std::string_view input) {
  static const TokenizerFolder folder;
  Input in(input);
  TokenizerTexts texts;
  for (std::string* text : {&texts.tokenizer, &texts.config, &texts.map, &texts.added}) {
    *text = in.text();
  }
  texts.model = in.rest();
  folder.write(texts);
  auto tokenizer = Result<Tokenizer>(fail(Code::kFailed, ""));
  const size_t memory = peak_bytes([&] { tokenizer = Tokenizer::load(folder.path()); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (tokenizer) return check_tokenizer(*tokenizer, folder.path());
  const auto& [code, why] = tokenizer.error();
  MUSTER_CHECK(code == Code::kUnsupported || code == Code::kDataLoss || code == Code::kNotFound);
  MUSTER_CHECK(why.find(".json: ") != std::string::npos);
}

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (const TokenizerTexts& texts : small_tokenizers()) {
    std::string joined = texts.tokenizer;
    for (const std::string* text : {&texts.config, &texts.map, &texts.added, &texts.model}) {
      joined += std::string(1, '\0') + *text;
    }
    out.push_back(joined);
  }
  return out;
}

std::vector<std::string> words() {
  std::vector<std::string> out = {
      "\"Sequence\"", "\"NFC\"", "\"ByteLevel\"",         "\"Split\"",
      "\"Digits\"",   "\"BPE\"", "<|endoftext|>",         "\"GPTNeoXTokenizer\"",
      "\\u0000",      "\\\\w",   "\"LlamaTokenizerFast\""};
  for (const char* key : {"type",
                          "vocab",
                          "merges",
                          "unk_token",
                          "ignore_merges",
                          "added_tokens",
                          "content",
                          "lstrip",
                          "normalized",
                          "pre_tokenizer",
                          "pretokenizers",
                          "normalizer",
                          "normalizers",
                          "post_processor",
                          "processors",
                          "single",
                          "special_tokens",
                          "ids",
                          "tokenizer_class",
                          "bos_token",
                          "eos_token",
                          "pad_token",
                          "extra_special_tokens",
                          "added_tokens_decoder",
                          "add_prefix_space",
                          "model_type",
                          "auto_map",
                          "image_token",
                          "padding",
                          "truncation"}) {
    out.push_back("\"" + std::string(key) + "\":");
  }
  return out;
}

}  // namespace muster::fuzz
