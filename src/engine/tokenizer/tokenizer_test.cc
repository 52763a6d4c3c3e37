// Token ids are those of Hugging Face's tokenizers, on texts chosen to be odd; and BPE's heap
// agrees with the naive way of merging.
#include "engine/tokenizer/tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "base/rng.h"
#include "engine/tokenizer/gpt2_pieces.h"

namespace muster::engine {
namespace {

const Path kModels = MUSTER_SOURCE_DIR "/build/models";

TEST(Tokenizer, GivesTheIdsThatTokenizersGives) {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/data/tokens.jsonl");
  std::map<std::string, Tokenizer> tokenizers;
  int rows = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    const Json row = *parse_json(line, 1 << 20);
    const std::string model = row["model"];
    if (!tokenizers.contains(model)) {
      auto loaded = Tokenizer::load(kModels / model);
      ASSERT_TRUE(loaded) << loaded.error().message;
      tokenizers.emplace(model, *std::move(loaded));
    }
    const auto ids = tokenizers.at(model).encode(row["text"].get<std::string>(), false);
    ASSERT_TRUE(ids) << ids.error().message;
    EXPECT_EQ(*ids, row["ids"].get<std::vector<TokenId>>()) << model << ": " << row["text"];
  }
  EXPECT_EQ(rows, 52);
}

// A folder with these files; gone at the end.
class Files {
 public:
  explicit Files(const std::map<std::string, Json>& files) {
    std::filesystem::create_directories(path);
    for (const auto& [name, content] : files) std::ofstream(path / name) << content;
  }
  ~Files() { std::filesystem::remove_all(path); }
  const Path path = Path(::testing::TempDir()) / ("tokenizer-" + std::to_string(::getpid()));
};

TEST(Tokenizer, RefusesTextThatIsNotUtf8) {
  auto tokenizer = Tokenizer::load(kModels / "random-neox");
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("a\xff", false).error().code, Code::kDataLoss);
  EXPECT_EQ(tokenizer->encode("\xed\xa0\x80", false).error().code, Code::kDataLoss);
}

// A vocabulary of the bytes and some merges over "abcd".
Json small_model(const std::vector<std::pair<std::string, std::string>>& merges) {
  Json vocabulary = Json::object(), list = Json::array();
  for (const std::string& letter : byte_alphabet()) vocabulary[letter] = vocabulary.size();
  for (const auto& [left, right] : merges) {
    if (!vocabulary.contains(left + right)) vocabulary[left + right] = vocabulary.size();
    list.push_back(left + " " + right);
  }
  return {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", list}};
}

const Json kByteLevel = {
    {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}};

// It threw, where a text is encoded by a model whose config.json nobody has looked at.
TEST(Tokenizer, RefusesAFamilyThatIsNoWord) {
  const Files files(
      {{"tokenizer.json", {{"pre_tokenizer", kByteLevel}, {"model", small_model({})}}},
       {"config.json", {{"model_type", 7}}}});
  const auto loaded = Tokenizer::load(files.path);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::kUnsupported);
  EXPECT_NE(loaded.error().message.find("config.json: model_type = 7"), std::string::npos);
}

// The name of a special token was cut at its zero byte: another one's ids were taken.
TEST(Tokenizer, KnowsASpecialTokenByItsWholeName) {
  const std::string name("<s>\0more", 8);
  const auto token = [](const std::string& id, int number) {
    return Json{{"id", id}, {"ids", {number}}, {"tokens", {id}}};
  };
  const Json processor = {{"type", "TemplateProcessing"},
                          {"single",
                           {{{"SpecialToken", {{"id", name}, {"type_id", 0}}}},
                            {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
                          {"pair", Json::array()},
                          {"special_tokens", {{"<s>", token("<s>", 1)}, {name, token(name, 2)}}}};
  const Files files({{"tokenizer.json",
                      {{"pre_tokenizer", kByteLevel},
                       {"post_processor", processor},
                       {"model", small_model({})}}}});
  auto loaded = Tokenizer::load(files.path);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->encode("", true)->front(), 2);
}

// The definition: again and again the pair of lowest rank, leftmost first.
std::vector<std::string> merge_naively(
    const std::string& text, const std::vector<std::pair<std::string, std::string>>& merges) {
  std::vector<std::string> parts;
  for (char c : text) parts.emplace_back(1, c);
  while (true) {
    size_t best_rank = merges.size(), best_at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i) {
      for (size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank] == std::pair(parts[i], parts[i + 1])) best_rank = rank, best_at = i;
      }
    }
    if (best_rank == merges.size()) return parts;
    parts[best_at] += parts[best_at + 1];
    parts.erase(parts.begin() + static_cast<ptrdiff_t>(best_at) + 1);
  }
}

TEST(Bpe, AgreesWithTheNaiveMerger) {
  Rng rng(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> known = {"a", "b", "c", "d"};
    std::vector<std::pair<std::string, std::string>> merges;
    for (int i = 0; i < 8; ++i) {
      const auto pair = std::pair(known[rng.below(known.size())], known[rng.below(known.size())]);
      const bool fresh =
          std::find(known.begin(), known.end(), pair.first + pair.second) == known.end();
      if (!fresh) continue;
      merges.push_back(pair);
      known.push_back(pair.first + pair.second);
    }
    auto bpe = Bpe::load(small_model(merges));
    ASSERT_TRUE(bpe) << bpe.error().message;
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (uint64_t n = rng.below(100); n > 0; --n) text += "abcd"[rng.below(4)];
      std::vector<TokenId> ids, expected;
      bpe->encode(text, ids);
      for (const std::string& part : merge_naively(text, merges))
        expected.push_back(bpe->find(part));
      EXPECT_EQ(ids, expected) << text;
    }
  }
}

TEST(Bpe, NamesTheSettingItDoesNotKnow) {
  Json model = small_model({});
  model["byte_fallback"] = true;
  EXPECT_NE(Bpe::load(model).error().message.find("model.byte_fallback"), std::string::npos);
  model = small_model({});
  model["merges"] = Json::array({"a zz"});
  EXPECT_EQ(Bpe::load(model).error().code, Code::kDataLoss);
}

// By hand as by the pattern, wherever it is by hand.
TEST(Gpt2Pieces, AreThoseOfThePattern) {
  const auto pattern = *Pattern::compile(
      R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)");
  const auto pieces = *Gpt2Pieces::create();
  const std::vector<std::string> parts = {"a",  "Z",  " ", "\t", "\n",    "'",    "s",
                                          "re", "ll", "7", "!",  "-",     "\x1f", "\x7f",
                                          "\0", "é",  "٣", "　", "\u0301"};
  Rng rng(5);
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (uint64_t n = rng.below(12); n > 0; --n) text += parts[rng.below(parts.size())];
    std::vector<Span> matches;
    ASSERT_TRUE(pattern.find_all(text, matches));
    std::vector<std::string_view> expected, got;
    for (const Span& span : matches) {
      if (span.end > span.begin)
        expected.push_back(std::string_view(text).substr(span.begin, span.end - span.begin));
    }
    ASSERT_TRUE(pieces.split(text, got));
    EXPECT_EQ(got, expected) << text;
  }
}

std::vector<std::pair<size_t, size_t>> matches_of(const std::string& pattern,
                                                  const std::string& text) {
  std::vector<Span> spans;
  const auto compiled = Pattern::compile(pattern);
  if (!compiled || !compiled->find_all(text, spans)) return {{99, 99}};
  std::vector<std::pair<size_t, size_t>> out;
  for (const Span& span : spans) out.emplace_back(span.begin, span.end);
  return out;
}

// Oniguruma's own "\p{Ll}" has no other case; in brackets, where it stood to have the newer
// characters beside it, it took "L" along.
TEST(Pattern, AClassHasNoOtherCaseBecauseOfNewerCharacters) {
  EXPECT_EQ(matches_of(R"((?i)\p{Ll})", "aL"), (std::vector<std::pair<size_t, size_t>>{{0, 1}}));
  EXPECT_EQ(matches_of(R"((?i:'S)|\p{L}+)", "it's"),
            (std::vector<std::pair<size_t, size_t>>{{0, 2}, {2, 4}}));
}

// A tokenizer.json of 64 MiB may have nothing but this in it.
TEST(Pattern, IsRefusedWhereItWouldTakeGigabytes) {
  const auto repeated = [](size_t times) {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += "\\w";
    return text;
  };
  EXPECT_TRUE(Pattern::compile(repeated(2048)));
  const auto refused = Pattern::compile(repeated(2049));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("4098 bytes"), std::string::npos);
}

TEST(PreTokenizer, HasABoundedNumberOfSteps) {
  const Json digits{{"type", "Digits"}, {"individual_digits", true}};
  Json steps =
      Json::array({{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", false}}});
  for (int i = 0; i < 31; ++i) steps.push_back(digits);
  const auto load = [&] {
    return PreTokenizer::load(Json{{"type", "Sequence"}, {"pretokenizers", steps}});
  };
  EXPECT_TRUE(load());
  steps.push_back(digits);
  EXPECT_EQ(load().error().code, Code::kUnsupported);
}

// "\c\p" is one character, and what follows are others; a class was made of them.
TEST(Pattern, AClassWithinACharactersNameIsNone) {
  EXPECT_EQ(matches_of(R"([\c\p{L}])", "aL"), (std::vector<std::pair<size_t, size_t>>{{1, 2}}));
}

// U+1E4D0 is a letter since Unicode 15; under these options only ASCII is of a class.
TEST(Pattern, WhereAClassIsAsciiNewerCharactersAreNotOfIt) {
  const std::string text = "a\xf0\x9e\x93\x90";
  EXPECT_EQ(matches_of(R"(\w)", text), (std::vector<std::pair<size_t, size_t>>{{0, 1}, {1, 5}}));
  for (const char* pattern : {R"((?W)\w)", R"((?P:\w))", R"((?D)\d|\w)"}) {
    std::vector<Span> spans;
    EXPECT_EQ(Pattern::compile(pattern)->find_all(text, spans).error().code, Code::kUnsupported);
  }
}

TEST(AddedTokens, TakeTheLeftmostAndThenTheLongest) {
  Json list = *parse_json(R"([{"id":1,"content":"ab"}, {"id":2,"content":"abc"},
      {"id":3,"content":"bcd"}, {"id":4,"content":"X","lstrip":true,"rstrip":true}])",
                          1000);
  for (Json& token : list) {
    for (const char* key : {"normalized", "lstrip", "rstrip", "single_word"}) {
      if (!token.contains(key)) token[key] = false;
    }
  }
  const AddedTokens added(*read_added_tokens(list));
  std::vector<AddedTokens::Piece> pieces;
  added.split("zabcd  X ab", pieces);
  std::vector<std::pair<std::string, TokenId>> got;
  for (const auto& piece : pieces) got.emplace_back(piece.text, piece.id);
  EXPECT_EQ(got, (std::vector<std::pair<std::string, TokenId>>{
                     {"z", -1}, {"abc", 2}, {"d", -1}, {"  X ", 4}, {"ab", 1}}));
}

}  // namespace
}  // namespace muster::engine
