#include "wire/pool_role.h"

#include <gtest/gtest.h>

namespace muster::wire {
namespace {

constexpr pb::PoolRole kRoles[] = {pb::POOL_ROLE_WORKER, pb::POOL_ROLE_COORDINATOR,
                                   pb::POOL_ROLE_RESEARCHER, pb::POOL_ROLE_OPERATOR};

TEST(PoolRole, IsSaidAndReadByOneWord) {
  for (const auto role : kRoles) EXPECT_EQ(to_pool_role(to_word(role)), role);
  EXPECT_EQ(to_pool_role("emperor"), pb::POOL_ROLE_UNSPECIFIED);
  EXPECT_EQ(to_pool_role(""), pb::POOL_ROLE_UNSPECIFIED);
  EXPECT_EQ(to_word(pb::POOL_ROLE_UNSPECIFIED), "");
}

TEST(PoolRole, OfAMachineHasALine) {
  for (const auto flag : {pb::ROLE_FLAG_AUTO, pb::ROLE_FLAG_COMPUTE, pb::ROLE_FLAG_STORAGE}) {
    for (const auto role : kRoles) {
      EXPECT_EQ(may_connect(role, flag), role == pb::POOL_ROLE_WORKER) << to_word(role);
    }
  }
  for (const auto role : kRoles) {
    EXPECT_EQ(may_connect(role, pb::ROLE_FLAG_COORDINATOR), role == pb::POOL_ROLE_COORDINATOR);
  }
}

TEST(PoolRole, OfAnOperatorsTokenMayBeAny) {
  for (const auto wanted : kRoles) {
    for (const auto has : kRoles) {
      EXPECT_EQ(may_become(wanted, has), wanted == has || has == pb::POOL_ROLE_OPERATOR);
    }
  }
  EXPECT_FALSE(may_become(pb::POOL_ROLE_UNSPECIFIED, pb::POOL_ROLE_OPERATOR));
  EXPECT_FALSE(may_become(pb::POOL_ROLE_UNSPECIFIED, pb::POOL_ROLE_UNSPECIFIED));
}

}  // namespace
}  // namespace muster::wire
