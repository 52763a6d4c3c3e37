// What somebody asks at the server's door (identity/application.h). The first byte of an input says
// what is done with the rest: a request as it came; or the signing request, the token or the
// certificate of one that is good otherwise. Whoever gets through has signed with a key of 32
// bytes, which is his by the request's own words, and has a token's hash, or a certificate of that
// key and with the role and owner that it says and not those that he would like.
#include <google/protobuf/stubs/logging.h>
#include "base/check.h"
#include "identity/application.h"
#include "identity/authority.h"
#include "identity/certificate.h"
#include "identity/token.h"
#include "input.h"
#include "known_key.h"
#include "target.h"
#include "wire/bounds.h"
#include "wire/keys.h"

namespace muster::fuzz {
namespace {

constexpr int64_t kNow = 1'800'000'000;

// A pool, and somebody who asks, with a token and with a certificate.
struct Door {
  Door() {
    google::protobuf::SetLogHandler(nullptr);
    const KnownKey key;
    const auto token = identity::Token::make(*identity::fingerprint(authority.certificate()));
    asks = *identity::make_join_request(key.secret, pb::POOL_ROLE_OPERATOR);
    asks.set_owner("lab");
    asks.set_token(token.word());
    renews = asks;
    renews.clear_token();
    renews.set_certificate(*authority.issue(
        key.public_key, wire::make_holder(pb::POOL_ROLE_WORKER, "office", "0123456789abcdef"), kNow,
        3600));
  }
  identity::Authority authority = *identity::Authority::make(kNow);
  std::string pem = authority.certificate();
  pb::JoinRequest asks, renews;
};

const Door& door() {
  static const Door door;
  return door;
}

void look(const pb::JoinRequest& request) {
  const auto application = identity::examine(request, door().pem);
  if (!application) {
    MUSTER_CHECK(!application.error().message.empty());
    return;
  }
  const pb::Join& join = application->join;
  MUSTER_CHECK(wire::check_bounds(join));
  MUSTER_CHECK(application->public_key.size() == 32);
  MUSTER_CHECK(join.machine() == wire::machine_id(application->public_key));
  MUSTER_CHECK(join.renewal() == !request.certificate().empty());
  if (!join.renewal()) {
    MUSTER_CHECK(join.token_hash().size() == 32 && join.holder().token().size() == 16);
    return;
  }
  MUSTER_CHECK(request.signing_request() == door().renews.signing_request());
  MUSTER_CHECK(join.holder().role() == pb::POOL_ROLE_WORKER && join.holder().owner() == "office");
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  const size_t what = input.below(4);
  const std::string rest(input.rest());
  pb::JoinRequest request = what == 3 ? door().renews : door().asks;
  if (what == 0 && !request.ParseFromString(rest)) return;
  if (what == 1) request.set_signing_request(rest);
  if (what == 2) request.set_token(rest);
  if (what == 3) request.set_certificate(rest);
  look(request);
}

std::vector<std::string> seeds() {
  const auto as = [](char what, const std::string& rest) { return std::string(1, what) + rest; };
  return {as(0, door().asks.SerializeAsString()), as(0, door().renews.SerializeAsString()),
          as(1, door().asks.signing_request()), as(2, door().asks.token()),
          as(3, door().renews.certificate())};
}

std::vector<std::string> words() {
  return {"muster_",
          "-----BEGIN CERTIFICATE-----\n",
          "-----END CERTIFICATE-----\n",
          std::string("\x30\x81", 2),
          std::string("\x2b\x65\x70", 3),
          "muster:role:"};
}

}  // namespace muster::fuzz
