// Texts for a tokenizer that was let in (engine/tokenizer/tokenizer.h): the first byte of an input
// chooses one, the rest is the text. Ids are the same whether a word was seen before or not, and
// between special tokens for which the text has a place; one that only cuts and merges gives ids
// whose letters are the text again. Each piece is merged as the definition says, pair by pair.
#include "engine/tokenizer/tokenizer.h"

#include <limits>
#include <map>

#include "base/check.h"
#include "base/printable.h"
#include "engine/tokenizer/tokenizer_files.h"
#include "input.h"
#include "memory.h"
#include "small_tokenizers.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using engine::Bpe;
using engine::TokenId;
using engine::Tokenizer;

constexpr size_t kMemory = 4 << 20, kMemoryPerByte = 400;
constexpr size_t kMostNaive = 200;  // Bytes that are merged as the definition says.

// The bytes that a row of letters stands for.
std::string bytes_of(const std::string& letters) {
  static const std::map<std::string, char> bytes = [] {
    std::map<std::string, char> map;
    for (size_t i = 0; i < 256; ++i) map[engine::byte_alphabet()[i]] = static_cast<char>(i);
    return map;
  }();
  std::string out;
  for (size_t at = 0; at < letters.size();) {
    const size_t size = static_cast<unsigned char>(letters[at]) < 0x80 ? 1 : 2;
    out += bytes.at(letters.substr(at, size));
    at += size;
  }
  return out;
}

struct Loaded {
  Tokenizer used, fresh;  // One that remembers, and one that is copied before each text.
  Bpe bpe;
  std::map<TokenId, std::string> texts;  // In letters; of the vocabulary alone.
  std::map<std::pair<std::string, std::string>, size_t> ranks;
  bool is_plain;  // Cuts and merges, and does nothing else.
};

Loaded loaded(const Path& folder) {
  const Json settings = engine::read_tokenizer_files(folder)->settings;
  const Json& model = settings["model"];
  Loaded out{*Tokenizer::load(folder), *Tokenizer::load(folder), *Bpe::load(model), {}, {}, false};
  for (const auto& [text, id] : model["vocab"].items()) out.texts[id.get<TokenId>()] = text;
  for (const Json& merge : model["merges"]) {
    const auto text = merge.is_string() ? merge.get<std::string>() : "";
    const size_t space = text.find(' ');
    const auto pair = merge.is_string() ? std::pair(text.substr(0, space), text.substr(space + 1))
                                        : merge.get<std::pair<std::string, std::string>>();
    const size_t rank = out.ranks.size();
    out.ranks[pair] = rank;
  }
  out.is_plain = get_or_null(settings, "added_tokens").empty() &&
                 get_or_null(settings, "normalizer").is_null() &&
                 get_or_null(settings["pre_tokenizer"], "add_prefix_space") == false &&
                 out.texts.size() >= 256;
  return out;
}

std::vector<Loaded>& tokenizers() {
  static std::vector<Loaded> all = [] {
    std::vector<Loaded> out;
    const TokenizerFolder folder;
    for (const TokenizerTexts& texts : small_tokenizers()) {
      folder.write(texts);
      out.push_back(loaded(folder.path()));
    }
    return out;
  }();
  return all;
}

// Again and again the pair of lowest rank, leftmost first.
std::vector<std::string> merge_naively(const Loaded& tokenizer, std::string_view bytes) {
  std::vector<std::string> parts;
  for (const unsigned char byte : bytes) parts.push_back(engine::byte_alphabet()[byte]);
  while (true) {
    size_t best = std::numeric_limits<size_t>::max(), best_at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      const auto found = tokenizer.ranks.find({parts[i], parts[i + 1]});
      if (found == tokenizer.ranks.end() || found->second >= best) continue;
      best = found->second;
      best_at = i;
    }
    if (best == std::numeric_limits<size_t>::max()) return parts;
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best_at) + 1);
  }
}

void check_merges(Loaded& tokenizer, std::string_view text) {
  std::vector<TokenId> ids;
  tokenizer.bpe.encode(text, ids);
  std::vector<TokenId> expected;
  for (const std::string& part : merge_naively(tokenizer, text)) {
    expected.push_back(tokenizer.bpe.find(part));
  }
  MUSTER_CHECK(ids == expected);
}

void check_ids(const Loaded& tokenizer, std::string_view text, const std::vector<TokenId>& ids) {
  if (!tokenizer.is_plain) return;
  std::string letters;
  for (const TokenId id : ids) letters += tokenizer.texts.at(id);
  MUSTER_CHECK(bytes_of(letters) == text);
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  Loaded& tokenizer = tokenizers()[in.below(tokenizers().size())];
  const std::string_view text = in.rest();
  check_merges(tokenizer, text.substr(0, kMostNaive));
  Result<std::vector<TokenId>> ids;
  const size_t memory = peak_bytes([&] { ids = tokenizer.used.encode(text, false); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * text.size());
  if (!is_utf8(text)) {
    MUSTER_CHECK(!ids && ids.error().code == Code::kDataLoss);
    return;
  }
  Tokenizer fresh = tokenizer.fresh;
  const auto first = fresh.encode(text, false), second = fresh.encode(text, false);
  MUSTER_CHECK(ids.has_value() == first.has_value() && ids.has_value() == second.has_value());
  if (!ids) {
    MUSTER_CHECK(ids.error().code == Code::kUnsupported);
    return;
  }
  MUSTER_CHECK(*ids == *first && *ids == *second);
  check_ids(tokenizer, text, *ids);
  const auto special = fresh.encode(text, true);
  MUSTER_CHECK(special && special->size() >= ids->size());
}

std::vector<std::string> seeds() {
  std::vector<std::string> out;
  for (char which = 0; which < 5; ++which) {
    for (const char* text :
         {"abc abb  12 it'll\n\n \tx", "caf\xc3\xa9 cafe\xcc\x81!  <mask> <s>a$",
          "\xf0\x9f\x98\x80\xe3\x80\x80\xd9\xa3 <new>\x01\x7f", "bbbbbbbbbbbbbbbbbb aaaabbbb"}) {
      out.push_back(std::string(1, which) + text);
    }
  }
  return out;
}

std::vector<std::string> words() {
  return {"<s>",
          "<mask>",
          "<new>",
          "  ",
          "\xc3\xa9!",
          "\xcc\x81",
          "\xe1\x84\x80\xe1\x85\xa1",
          "'ll",
          "\xc2\x85",
          "\xe2\x80\xa8",
          "\xf0\x9f\x98\x80",
          "\n",
          "abb",
          "$",
          "\xf0\x9e\x97\xbf"};
}

}  // namespace muster::fuzz
