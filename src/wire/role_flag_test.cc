#include "wire/role_flag.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

TEST(RoleFlag, IsSaidAndReadByOneWord) {
  for (const auto flag : {pb::ROLE_FLAG_AUTO, pb::ROLE_FLAG_COMPUTE, pb::ROLE_FLAG_STORAGE,
                          pb::ROLE_FLAG_COORDINATOR}) {
    EXPECT_EQ(to_role_flag(to_word(flag)), flag);
  }
  EXPECT_EQ(to_role_flag("mailer"), pb::ROLE_FLAG_UNSPECIFIED);
  EXPECT_EQ(to_word(pb::ROLE_FLAG_UNSPECIFIED), "coordinator");
}

}  // namespace
}  // namespace muster::wire
