#include "roles/coordinator/backoffs.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

constexpr Instant kStart{seconds(100)};

TEST(Backoffs, WaitTwiceAsLongEachTimeUpToABound) {
  Backoffs backoffs;
  EXPECT_FALSE(backoffs.waits(kStart, "a"));
  EXPECT_EQ(backoffs.add(kStart, "a", {}, seconds(10)).until, kStart + seconds(10));
  EXPECT_TRUE(backoffs.waits(kStart + seconds(9), "a"));
  EXPECT_FALSE(backoffs.waits(kStart + seconds(10), "a"));
  EXPECT_TRUE(backoffs.has("a")) << "it is known until it has served";
  EXPECT_EQ(backoffs.add(kStart, "a", {}, seconds(10)).until, kStart + seconds(20));
  for (int i = 0; i < 40; ++i) backoffs.add(kStart, "a", {}, seconds(10));
  EXPECT_EQ(backoffs.add(kStart, "a", {}, seconds(10)).until, kStart + seconds(300));
}

TEST(Backoffs, WhoServesBeginsAnew) {
  Backoffs backoffs;
  for (int i = 0; i < 3; ++i) backoffs.add(kStart, "a", {}, seconds(10));
  backoffs.remove("a");
  EXPECT_FALSE(backoffs.has("a"));
  EXPECT_EQ(backoffs.add(kStart, "a", {}, seconds(10)).until, kStart + seconds(10));
}

}  // namespace
}  // namespace muster::roles::coordinator
