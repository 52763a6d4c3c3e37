// Two machines with one key are told from one that reconnects or restarts.
#include "io/mesh/twins.h"

#include <gtest/gtest.h>

namespace muster::io {
namespace {

using std::chrono::seconds;

class TwinsTest : public testing::Test {
 protected:
  bool comes(const std::string& instance, int after_s = 1) {
    now_ += seconds(after_s);
    twins_.forget_old(now_);
    return twins_.are_two("m", instance, now_);
  }
  Twins twins_;
  Twins::Instant now_{seconds(1000)};
};

TEST_F(TwinsTest, TwoThatAlternateAreRefusedForAMinute) {
  for (const char* instance : {"a", "b", "a", "b"}) EXPECT_FALSE(comes(instance));
  EXPECT_TRUE(comes("a"));
  EXPECT_TRUE(comes("b", 1));
  EXPECT_TRUE(comes("a", 50));
  EXPECT_FALSE(comes("a", 10));  // One of them is left: it is let in.
  EXPECT_FALSE(comes("a"));
}

TEST_F(TwinsTest, ThreeThatTakeTurnsAreNoticedToo) {
  for (const char* instance : {"a", "b", "c", "a", "b"}) EXPECT_FALSE(comes(instance));
  EXPECT_TRUE(comes("c"));
}

TEST_F(TwinsTest, OneThatReconnectsIsOneMachine) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(comes("a"));
}

TEST_F(TwinsTest, OneThatRestartsIsOneMachine) {
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(comes("start " + std::to_string(i)));
}

TEST_F(TwinsTest, SlowTurnsAreNoQuarrel) {
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(comes(i % 2 == 0 ? "a" : "b", 31));
}

}  // namespace
}  // namespace muster::io
