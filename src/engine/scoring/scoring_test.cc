// White space as Python's rstrip sees it; contexts that make no token; the order and the cut of a
// list change no bits.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "engine/scoring/scorer.h"
#include "engine/scoring/whitespace.h"

namespace muster::engine {
namespace {

const Path kModel = MUSTER_SOURCE_DIR "/build/models/random-neox";

// As muster-engine does: with it MKL's products are the same on any number of threads.
[[maybe_unused]] const int kIsSet = ::setenv("MKL_CBWR", "AVX2", 1);

TEST(Whitespace, IsWhatPythonStripsFromTheRight) {
  EXPECT_EQ(length_without_trailing_space("ab \t\r\n\x1c\x1f"), 2u);
  EXPECT_EQ(length_without_trailing_space("ab\u00a0\u0085\u1680\u2003\u2028\u3000"), 2u);
  EXPECT_EQ(length_without_trailing_space("ab\u200b"), 5u);  // Zero width space is none.
  EXPECT_EQ(length_without_trailing_space("\u00e9"), 2u);
  EXPECT_EQ(length_without_trailing_space("  "), 0u);
}

class Scoring : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = Scorer::load(kModel);
    ASSERT_TRUE(loaded) << loaded.error().message;
    scorer = std::make_unique<Scorer>(*std::move(loaded));
  }
  std::vector<Score> score(const std::vector<ScoreRequest>& requests) {
    auto scores = scorer->score(requests, [] {});
    EXPECT_TRUE(scores) << scores.error().message;
    return scores.value_or(std::vector<Score>());
  }
  std::unique_ptr<Scorer> scorer;
};

TEST_F(Scoring, DoesNotDependOnHowTheListIsCut) {
  const std::vector<ScoreRequest> requests = {
      {"The cat", " sat on the mat"}, {"The cat", " ran"}, {"Another", " thing"}, {"", "Hello"}};
  const auto whole = score(requests);
  const auto first = score({requests[0], requests[1]}), second = score({requests[2]}),
             third = score({requests[3]});
  EXPECT_EQ(whole[0].loglikelihood, first[0].loglikelihood);
  EXPECT_EQ(whole[1].loglikelihood, first[1].loglikelihood);
  EXPECT_EQ(whole[2].loglikelihood, second[0].loglikelihood);
  EXPECT_EQ(whole[3].loglikelihood, third[0].loglikelihood);
}

// Some groups are computed by a thread each, the last ones by all together. With AVX-512 the last
// bits of either may differ from those of a process with one thread (by 9e-6 at most, here), so
// what holds is the pool's tolerance, less than for one token.
constexpr double kRounding = 1e-4;
TEST_F(Scoring, ManyThreadsScoreAsOneDoes) {
  std::vector<ScoreRequest> requests;
  std::string context = "Once";
  for (int group = 0; group < 7; ++group) {
    context += " upon a time there was one more";
    for (const char* continuation : {" fox", " and it was quick", " end"}) {
      requests.push_back({context, continuation});
    }
  }
  at::set_num_threads(1);
  const auto alone = score(requests);
  for (const int threads : {2, 3, 8}) {
    at::set_num_threads(threads);
    bool is_told = false;
    int told = 0;
    const auto scores = scorer->score(requests, [&] {
      ASSERT_FALSE(is_told) << "two at a time";
      is_told = true;
      ++told;
      is_told = false;
    });
    ASSERT_TRUE(scores) << scores.error().message;
    EXPECT_GE(told, 7 * scorer->decoder().spec().layers);
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_NEAR(alone[i].loglikelihood, (*scores)[i].loglikelihood, kRounding) << i;
      EXPECT_EQ(alone[i].is_greedy, (*scores)[i].is_greedy);
      EXPECT_EQ(alone[i].tokens, (*scores)[i].tokens);
    }
  }
}

TEST_F(Scoring, TrailingWhiteSpaceMovesToTheContinuation) {
  EXPECT_EQ(score({{"The cat ", "sat"}})[0].loglikelihood,
            score({{"The cat", " sat"}})[0].loglikelihood);
}

// A copy of the model in which one byte, near the end of one file, is another.
Digest digest_of_a_copy_with_another(const char* file, char byte) {
  const Path copy = Path(::testing::TempDir()) / ("copy-" + std::to_string(::getpid()));
  std::filesystem::remove_all(copy);
  std::filesystem::copy(kModel, copy);
  if (byte != 0) {
    std::fstream bytes(copy / file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-4, std::ios::end);
    bytes.put(byte);
  }
  const auto loaded = Scorer::load(copy);
  EXPECT_TRUE(loaded) << loaded.error().message;
  const Digest digest = loaded ? loaded->digest() : Digest();
  std::filesystem::remove_all(copy);
  return digest;
}

TEST_F(Scoring, WhatWasLoadedHasADigest) {
  EXPECT_EQ(digest_of_a_copy_with_another("model.safetensors", 0), scorer->digest());
  EXPECT_NE(digest_of_a_copy_with_another("model.safetensors", 'x'), scorer->digest());
}

TEST_F(Scoring, SaysWhichRequestCannotBeScored) {
  const std::vector<ScoreRequest> requests = {{"a", " b"}, {"  ", "b"}};
  const auto scores = scorer->score(requests, [] {});
  ASSERT_FALSE(scores);
  EXPECT_NE(scores.error().message.find("request 1"), std::string::npos);
}

TEST_F(Scoring, AContextBeyondTheModelsLengthIsCutFromTheLeft) {
  std::string longer;
  for (int i = 0; i < 1500; ++i) longer += " word";
  const auto scores = score({{longer, " end"}, {"other" + longer, " end"}});
  EXPECT_EQ(scores[0].loglikelihood, scores[1].loglikelihood);
}

}  // namespace
}  // namespace muster::engine
