// A daemon is started again when its loop stands still, and for nothing else; it gets work when all
// that it needs is there.
#include "io/status/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HealthTest : public testing::Test {
 protected:
  Duration still{};
  std::string line;  // Why there is none.
  Health health{[this] { return still; }};

  void begin() {
    health.begin({[this] { return line; }, [] { return std::string(); }});
  }
};

TEST_F(HealthTest, IsReadyFromItsBeginningToItsEnd) {
  EXPECT_THAT(health.why_not_ready(), ElementsAre("it is starting"));
  EXPECT_THAT(health.why_not_live(), IsEmpty());
  begin();
  EXPECT_THAT(health.why_not_ready(), IsEmpty());
  health.end();
  EXPECT_THAT(health.why_not_ready(), ElementsAre("it is stopping"));
  EXPECT_THAT(health.why_not_live(), IsEmpty());
}

TEST_F(HealthTest, WhoIsToldToEndBeforeItBeganDoesNotBegin) {
  health.end();
  begin();
  EXPECT_THAT(health.why_not_ready(), ElementsAre("it is stopping"));
}

TEST_F(HealthTest, WhatItLacksMakesItUnreadyAndDoesNotEndIt) {
  begin();
  line = "no line";
  EXPECT_THAT(health.why_not_ready(), ElementsAre("no line"));
  EXPECT_THAT(health.why_not_live(), IsEmpty());
  line.clear();
  EXPECT_THAT(health.why_not_ready(), IsEmpty());
}

TEST_F(HealthTest, ALoopThatStandsStillIsTold) {
  begin();
  still = Health::kMostStill;
  EXPECT_THAT(health.why_not_live(), IsEmpty());
  still = seconds(14);
  EXPECT_THAT(health.why_not_live(), ElementsAre("its loop has not moved for 14 s"));
  EXPECT_THAT(health.why_not_ready(), ElementsAre("its loop has not moved for 14 s"));
}

}  // namespace
}  // namespace muster::io
