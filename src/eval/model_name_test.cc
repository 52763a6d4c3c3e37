// What names a model becomes a part of paths: only names do.
#include "eval/model_name.h"

#include <gtest/gtest.h>

namespace muster::eval {
namespace {

TEST(ModelName, TakesTheHubsNames) {
  EXPECT_EQ(parse_model_name("EleutherAI/pythia-14m")->revision, "main");
  EXPECT_EQ(parse_model_name("EleutherAI/pythia-14m@step143000")->revision, "step143000");
  EXPECT_EQ(parse_model_name("a/b@refs/pr/1")->name, "a/b");
  for (const char* name : {"HuggingFaceTB/SmolLM2-135M", "a/b", "_a/b_", "a/Llama-3.1-8B"}) {
    EXPECT_TRUE(is_model_name(name)) << name;
  }
}

TEST(ModelName, TakesNothingThatLeavesItsFolder) {
  const std::string longest(96, 'a'), too_long(97, 'a');
  EXPECT_TRUE(is_model_name(longest + "/" + longest));
  const std::string names[] = {"",
                               "a",
                               "a/",
                               "/a",
                               "a/b/c",
                               "../a",
                               "a/..",
                               "a/.b",
                               "a/b.",
                               "-a/b",
                               "a/b-",
                               "a--b/c",
                               "a/b c",
                               "a/b\n",
                               "ä/b",
                               "a/b..c",
                               too_long + "/a",
                               "a/" + too_long,
                               std::string("a/b\0", 4)};
  for (const std::string& name : names) EXPECT_FALSE(parse_model_name(name)) << name;
  const std::string revisions[] = {
      "",      "..",  "../../../token", "a/../b", "a/..",   "/etc",
      "a//b",  "a/",  ".hidden",        "a/.b",   "-flag",  "a b",
      "main?", "a%b", "v1@v2",          "a\nb",   too_long, "a/../../b"};
  for (const std::string& revision : revisions) {
    EXPECT_FALSE(is_revision(revision)) << revision;
    EXPECT_FALSE(parse_model_name("a/b@" + revision)) << revision;
  }
}

TEST(ModelName, KnowsCommits) {
  EXPECT_TRUE(is_commit("0123456789abcdef0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit("0123456789ABCDEF0123456789abcdef01234567"));
  EXPECT_FALSE(is_commit(std::string(64, 'a')));
  EXPECT_FALSE(is_commit("../../../../../../../../../../../../etc/"));
  EXPECT_TRUE(is_directory_digest(std::string(64, 'a')));
  EXPECT_FALSE(is_directory_digest(std::string(5000, 'a')));
}

}  // namespace
}  // namespace muster::eval
