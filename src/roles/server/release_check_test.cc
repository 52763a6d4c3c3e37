#include "roles/server/release_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

using testing::HasSubstr;
using testing::Not;

const Release kOwn{"0.7.0", 7};

pb::Hello of_release(const std::string& version, uint32_t number) {
  pb::Hello hello;
  hello.set_version(version);
  hello.set_release(number);
  return hello;
}

TEST(ReleaseCheck, OneOlderAndOneNewerWork) {
  for (uint32_t number : {6u, 7u, 8u}) {
    EXPECT_TRUE(may_work_together(of_release("x", number), kOwn)) << number;
  }
  EXPECT_TRUE(may_work_together(of_release("of before they were counted", 0), {"0.1.0", 1}));
}

TEST(ReleaseCheck, TheOlderOneIsToBeUpgraded) {
  const Status old = may_work_together(of_release("0.5.0", 5), kOwn);
  EXPECT_EQ(old.error().code, Code::kUnsupported);
  EXPECT_THAT(old.error().message, HasSubstr("muster 0.5.0, the server 0.7.0"));
  EXPECT_THAT(old.error().message, HasSubstr("upgrade it "));
  EXPECT_THAT(old.error().message, HasSubstr("image of version 0.7.0"));
  const Status young = may_work_together(of_release("0.9.0", 9), kOwn);
  EXPECT_THAT(young.error().message, HasSubstr("upgrade the server "));
  EXPECT_THAT(young.error().message, HasSubstr("image of version 0.9.0"));
}

TEST(ReleaseCheck, WhatAMachineSaysOfItselfIsALine) {
  for (uint32_t number : {9u, UINT32_MAX}) {
    const Status why =
        may_work_together(of_release("\x1b[2J\n" + std::string(500, 'x'), number), kOwn);
    ASSERT_FALSE(why);
    EXPECT_THAT(why.error().message, Not(HasSubstr("\x1b")));
    EXPECT_LT(why.error().message.size(), 300u);
  }
}

}  // namespace
}  // namespace muster::roles::server
