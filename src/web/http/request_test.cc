#include "web/http/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::web {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(RequestTest, SplitsBeforeItDecodes) {
  const auto target = parse_target("/models/a%2Fb/c+d?q=x+y%26&empty=&alone&q=z");
  ASSERT_TRUE(target);
  EXPECT_THAT(target->segments, ElementsAre("models", "a/b", "c+d"));
  EXPECT_THAT(target->query,
              ElementsAre(Pair("q", "x y&"), Pair("empty", ""), Pair("alone", ""), Pair("q", "z")));
}

TEST(RequestTest, TheStartIsNoSegment) {
  EXPECT_THAT(parse_target("/")->segments, IsEmpty());
  EXPECT_THAT(parse_target("/?")->query, IsEmpty());
  EXPECT_THAT(parse_target("/?&&")->query, IsEmpty());
  EXPECT_THAT(parse_target("/jobs/")->segments, ElementsAre("jobs"));
  EXPECT_THAT(parse_target("//jobs")->segments, ElementsAre("", "jobs"));
  EXPECT_THAT(parse_target("/../x")->segments, ElementsAre("..", "x"));
}

TEST(RequestTest, RefusesWhatIsNoTextOfOurs) {
  for (const std::string text : {"", "jobs", "http://elsewhere/", "*", "/%", "/%2", "/%zz", "/%00",
                                 "/%0a", "/%ff", "/%c0%af", "/?q=%", "/?q=%80"}) {
    EXPECT_FALSE(parse_target(text)) << text;
  }
  EXPECT_FALSE(parse_target("/" + std::string(kMostTargetBytes, 'x')));
  std::string many = "/?";
  for (size_t field = 0; field < kMostQueryFields; ++field) many += "f=1&";
  EXPECT_TRUE(parse_target(many));
  EXPECT_FALSE(parse_target(many + "f=1"));
}

}  // namespace
}  // namespace muster::web
