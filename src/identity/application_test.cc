#include "identity/application.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "identity/authority.h"
#include "identity/certificate.h"
#include "identity/token.h"

namespace muster::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000;

class ApplicationTest : public testing::Test {
 protected:
  ApplicationTest() : public_key(32, '\0'), secret_key(64, '\0') {
    crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                        reinterpret_cast<unsigned char*>(secret_key.data()));
    request = *make_join_request(secret_key, pb::POOL_ROLE_WORKER);
    request.set_token(token.word());
  }
  [[nodiscard]] Result<Application> examined() const {
    return examine(request, authority.certificate());
  }

  Authority authority = *Authority::make(kNow), other = *Authority::make(kNow);
  Token token = Token::make(*fingerprint(authority.certificate()));
  std::string public_key, secret_key;
  pb::JoinRequest request;
};

TEST_F(ApplicationTest, SaysWhoAsksAndByWhichToken) {
  const auto application = examined();
  ASSERT_TRUE(application) << application.error().message;
  EXPECT_EQ(application->public_key, public_key);
  EXPECT_EQ(application->join.holder().role(), pb::POOL_ROLE_WORKER);
  EXPECT_EQ(application->join.holder().token(), token.id);
  EXPECT_EQ(application->join.token_hash(), token.hash().view());
  EXPECT_FALSE(application->join.renewal());
}

TEST_F(ApplicationTest, NeedsATokenOfThisPool) {
  request.set_token(Token::make(*fingerprint(other.certificate())).word());
  EXPECT_EQ(examined().error().code, Code::kPermission);
  request.set_token("");
  EXPECT_EQ(examined().error().code, Code::kInvalidArgument);
}

TEST_F(ApplicationTest, IsSignedByItsKey) {
  std::string& bytes = *request.mutable_signing_request();
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_EQ(examined().error().code, Code::kDataLoss);
}

TEST_F(ApplicationTest, RenewsACertificateEvenAnExpiredOneInItsOwnRole) {
  request.set_certificate(*authority.issue(
      public_key, wire::make_holder(pb::POOL_ROLE_COORDINATOR, "lab", "0123456789abcdef"), kNow,
      -5));
  request.set_role(pb::POOL_ROLE_OPERATOR);
  request.set_owner("somebody else");
  const auto application = examined();
  ASSERT_TRUE(application) << application.error().message;
  EXPECT_TRUE(application->join.renewal());
  EXPECT_EQ(application->join.holder().owner(), "lab");
  EXPECT_EQ(application->join.holder().token(), "0123456789abcdef") << "by which he is revoked";
  EXPECT_EQ(application->join.holder().role(), pb::POOL_ROLE_COORDINATOR)
      << "not what it would like to be";
}

TEST_F(ApplicationTest, RenewsNoCertificateOfAnotherPoolOrKey) {
  request.set_certificate(
      *other.issue(public_key, wire::make_holder(pb::POOL_ROLE_WORKER), kNow, 3600));
  EXPECT_EQ(examined().error().code, Code::kPermission);
  std::string stranger(32, '\0'), secret(64, '\0');
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(stranger.data()),
                      reinterpret_cast<unsigned char*>(secret.data()));
  request.set_certificate(
      *authority.issue(stranger, wire::make_holder(pb::POOL_ROLE_WORKER), kNow, 3600));
  EXPECT_EQ(examined().error().code, Code::kPermission);
}

}  // namespace
}  // namespace muster::identity
