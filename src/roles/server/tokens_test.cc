#include "roles/server/tokens.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

pb::Join join(const std::string& hash, pb::PoolRole role = pb::POOL_ROLE_WORKER) {
  pb::Join join;
  join.set_token_hash(hash);
  join.set_role(role);
  return join;
}

TEST(Tokens, TheLocalOneIsGoodForEveryRole) {
  const Tokens tokens("hash");
  for (const auto role : {pb::POOL_ROLE_WORKER, pb::POOL_ROLE_COORDINATOR, pb::POOL_ROLE_RESEARCHER,
                          pb::POOL_ROLE_OPERATOR}) {
    EXPECT_EQ(tokens.admit(join("hash", role)).value(), role);
  }
  EXPECT_EQ(tokens.admit(join("hash", pb::POOL_ROLE_UNSPECIFIED)).value(), pb::POOL_ROLE_OPERATOR);
  EXPECT_EQ(tokens.admit(join("hash", static_cast<pb::PoolRole>(99))).error().code,
            Code::kPermission);
}

TEST(Tokens, AnUnknownOneIsGoodForNothing) {
  EXPECT_EQ(Tokens("hash").admit(join("other")).error().code, Code::kPermission);
  EXPECT_EQ(Tokens("hash").admit(join("")).error().code, Code::kPermission);
  EXPECT_EQ(Tokens("").admit(join("")).error().code, Code::kPermission);
}

TEST(Tokens, ACertificateIsRenewedWithoutOne) {
  auto renewal = join("");
  renewal.set_renewal(true);
  EXPECT_EQ(Tokens("hash").admit(renewal).value(), pb::POOL_ROLE_WORKER) << "as what it was";
}

}  // namespace
}  // namespace muster::roles::server
