#include "identity/certificate.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include "identity/authority.h"
#include "identity/signing_request.h"
#include "wire/keys.h"

namespace muster::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000, kHour = 3600, kDay = 24 * kHour, kMonth = 30 * kDay;

struct MachineKey {
  MachineKey() : public_key(32, '\0'), secret_key(64, '\0') {
    crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                        reinterpret_cast<unsigned char*>(secret_key.data()));
  }
  std::string public_key, secret_key;
};

class CertificateTest : public testing::Test {
 protected:
  static Authority new_authority() { return *Authority::make(kNow); }
  [[nodiscard]] std::string issue(pb::PoolRole role) const {
    return *authority.issue(machine.public_key, wire::make_holder(role), kNow, kMonth);
  }

  Authority authority = new_authority();
  MachineKey machine;
};

TEST_F(CertificateTest, SaysWhoseKeyItIsAndWhatItsHolderMayBe) {
  for (const pb::PoolRole role : {pb::POOL_ROLE_WORKER, pb::POOL_ROLE_COORDINATOR,
                                  pb::POOL_ROLE_RESEARCHER, pb::POOL_ROLE_OPERATOR}) {
    const auto read = read_certificate(issue(role));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->public_key, machine.public_key);
    EXPECT_EQ(read->machine, wire::machine_id(machine.public_key));
    EXPECT_EQ(read->holder.role(), role);
    EXPECT_EQ(read->not_before, kNow - 2 * kDay);
    EXPECT_EQ(read->not_after, kNow + kMonth);
  }
}

TEST_F(CertificateTest, SaysWhoseItIsWhateverHeCallsHimself) {
  const std::string owners[] = {"lab", "", "a,URI:muster:role:operator", "\n\"é\xff",
                                std::string(64, 'x')};
  for (const std::string& owner : owners) {
    const pb::Holder holder = wire::make_holder(pb::POOL_ROLE_WORKER, owner, "0123456789abcdef");
    const auto pem = authority.issue(machine.public_key, holder, kNow, kMonth);
    ASSERT_TRUE(pem) << pem.error().message;
    const auto read = read_certificate(*pem);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->holder.owner(), owner);
    EXPECT_EQ(read->holder.token(), "0123456789abcdef");
    EXPECT_EQ(read->holder.role(), pb::POOL_ROLE_WORKER);
  }
}

TEST_F(CertificateTest, WithANameTwiceOrOneThatIsTooLongIsNone) {
  for (const pb::Holder& holder :
       {wire::make_holder(pb::POOL_ROLE_WORKER, "", "a,URI:muster:role:operator"),
        wire::make_holder(pb::POOL_ROLE_WORKER, std::string(65, 'x'))}) {
    const auto pem = authority.issue(machine.public_key, holder, kNow, kMonth);
    ASSERT_TRUE(pem) << pem.error().message;
    EXPECT_FALSE(read_certificate(*pem));
  }
}

TEST_F(CertificateTest, OfTheAuthorityOrTheServerIsNoNodes) {
  EXPECT_EQ(read_certificate(authority.certificate()).error().code, Code::kDataLoss);
  const auto server = authority.issue_server(kNow, kMonth);
  ASSERT_TRUE(server);
  EXPECT_EQ(read_certificate(server->certificate).error().code, Code::kDataLoss);
  EXPECT_TRUE(check_issuer(server->certificate, authority.certificate()));
}

TEST_F(CertificateTest, IsOfOnePool) {
  const std::string certificate = issue(pb::POOL_ROLE_WORKER);
  EXPECT_TRUE(check_issuer(certificate, authority.certificate()));
  const Status foreign = check_issuer(certificate, new_authority().certificate());
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Code::kPermission);
  EXPECT_EQ(foreign.error().message, "the certificate is another pool's");
}

TEST_F(CertificateTest, HoldsForItsTimeAndSaysWhatTheClockSays) {
  const Certificate certificate = *read_certificate(issue(pb::POOL_ROLE_WORKER));
  EXPECT_TRUE(check_time(certificate, kNow - 2 * kDay));
  EXPECT_TRUE(check_time(certificate, kNow + kMonth - 1));
  EXPECT_EQ(check_time(certificate, kNow - 2 * kDay - 1).error().message,
            "the certificate holds from 2027-01-13 08:00:00 UTC, and the clock here says "
            "2027-01-13 07:59:59 UTC: set the clock");
  EXPECT_EQ(check_time(certificate, kNow + kMonth).error().message,
            "the certificate held until 2027-02-14 08:00:00 UTC, and the clock here says "
            "2027-02-14 08:00:00 UTC");
}

TEST_F(CertificateTest, IsToBeRenewedWhenAThirdIsLeft) {
  const Certificate certificate = *read_certificate(issue(pb::POOL_ROLE_WORKER));
  const int64_t third = (kMonth + 2 * kDay) / 3;
  EXPECT_FALSE(is_renewal_due(certificate, kNow + kMonth - third - 1));
  EXPECT_TRUE(is_renewal_due(certificate, kNow + kMonth - third));
  EXPECT_TRUE(is_renewal_due(certificate, kNow + 2 * kMonth));
}

TEST_F(CertificateTest, ThatIsNoneIsAnError) {
  const std::string good = issue(pb::POOL_ROLE_WORKER);
  for (const std::string& bad :
       {std::string(), std::string("no PEM"), good.substr(0, good.size() / 2),
        std::string(100'000, 'x'), authority.credentials().key}) {
    EXPECT_EQ(read_certificate(bad).error().code, Code::kDataLoss);
    EXPECT_EQ(fingerprint(bad).error().code, Code::kDataLoss);
  }
}

TEST_F(CertificateTest, HasAFingerprintOfItsOwn) {
  EXPECT_EQ(*fingerprint(authority.certificate()), *fingerprint(authority.certificate()));
  EXPECT_NE(*fingerprint(authority.certificate()), *fingerprint(new_authority().certificate()));
}

TEST_F(CertificateTest, AuthoritiesAreReadAsTheyWereKept) {
  const Credentials kept = authority.credentials();
  const auto again = Authority::read(kept);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->certificate(), authority.certificate());
  EXPECT_TRUE(check_issuer(
      *again->issue(machine.public_key, wire::make_holder(pb::POOL_ROLE_WORKER), kNow, kMonth),
      authority.certificate()));
  const Credentials other = new_authority().credentials();
  EXPECT_EQ(Authority::read({kept.certificate, other.key}).error().code, Code::kDataLoss);
  EXPECT_EQ(Authority::read({kept.certificate, ""}).error().code, Code::kDataLoss);
  EXPECT_EQ(Authority::read({issue(pb::POOL_ROLE_OPERATOR), kept.key}).error().code,
            Code::kDataLoss);
  EXPECT_EQ(
      authority.issue("short", wire::make_holder(pb::POOL_ROLE_WORKER), kNow, kMonth).error().code,
      Code::kDataLoss);
}

TEST_F(CertificateTest, IsAskedForWithTheKeyItIsOf) {
  const auto request = make_signing_request(machine.secret_key);
  ASSERT_TRUE(request);
  EXPECT_EQ(read_signing_request(*request), machine.public_key);
  EXPECT_FALSE(make_signing_request("no key"));
}

TEST_F(CertificateTest, IsNotGivenForARequestWithOneOtherByte) {
  const std::string request = *make_signing_request(machine.secret_key);
  for (size_t i = 0; i < request.size(); ++i) {
    std::string changed = request;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const auto read = read_signing_request(changed);
    EXPECT_FALSE(read && *read == machine.public_key) << "byte " << i;
  }
  for (size_t length = 0; length < request.size(); ++length) {
    EXPECT_FALSE(read_signing_request(request.substr(0, length)));
  }
  EXPECT_FALSE(read_signing_request(request + "x"));
  EXPECT_FALSE(read_signing_request(std::string(kMostRequestBytes + 1, '0')));
}

}  // namespace
}  // namespace muster::identity
