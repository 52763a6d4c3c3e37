// The file in which a person's login is kept (identity/login.h). One that is read names a server,
// has the key of its certificate, which is of its authority, and is written as what is read again.
#include "identity/login.h"

#include <sodium.h>

#include "base/address.h"
#include "base/check.h"
#include "identity/authority.h"
#include "identity/certificate.h"
#include "known_key.h"
#include "target.h"

namespace muster::fuzz {
namespace {

constexpr int64_t kNow = 1'800'000'000;

identity::Login good() {
  static const auto authority = *identity::Authority::make(kNow);
  const KnownKey key;
  return {.server = "pool.example:30000",
          .secret_key = key.secret,
          .certificate = *authority.issue(
              key.public_key, wire::make_holder(pb::POOL_ROLE_RESEARCHER, "alice"), kNow, 3600),
          .authority = authority.certificate()};
}

}  // namespace

void run(std::string_view input) {
  const auto login = identity::parse_login(std::string(input));
  if (!login) return;
  MUSTER_CHECK(parse_address(login->server));
  const auto certificate = identity::read_certificate(login->certificate);
  MUSTER_CHECK(certificate && login->secret_key.substr(32) == certificate->public_key);
  MUSTER_CHECK(identity::check_issuer(login->certificate, login->authority));
  const auto again = identity::parse_login(identity::to_text(*login));
  MUSTER_CHECK(again && again->server == login->server && again->secret_key == login->secret_key &&
               again->certificate == login->certificate && again->authority == login->authority);
}

std::vector<std::string> seeds() {
  identity::Login other = good();
  other.server = "[::1]:7";
  return {identity::to_text(good()), identity::to_text(other), "{}", "{\"server\": \"a:1\"}"};
}

std::vector<std::string> words() {
  return {"\"server\": \"",
          "\"key\": \"",
          "\"certificate\": \"",
          "\"authority\": \"",
          "-----BEGIN CERTIFICATE-----\\n",
          "\\n-----END CERTIFICATE-----\\n",
          "\\u0000"};
}

}  // namespace muster::fuzz
