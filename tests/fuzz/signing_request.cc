// Requests for a certificate (identity/signing_request.h), signed by the key that they are of. One
// that is read is of the key that signed the one here, since nobody has signed another; what comes
// after it is no part of one.
#include <sodium.h>

#include "base/check.h"
#include "identity/signing_request.h"
#include "target.h"

namespace muster::fuzz {
namespace {

struct Made {
  Made() : public_key(32, '\0'), secret(64, '\0') {
    const std::string seed(crypto_sign_SEEDBYTES, 's');
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                             reinterpret_cast<unsigned char*>(secret.data()),
                             reinterpret_cast<const unsigned char*>(seed.data()));
    request = *identity::make_signing_request(secret);
  }
  std::string public_key, secret, request;
};

const Made& made() {
  static const Made made;
  return made;
}

}  // namespace

void run(std::string_view input) {
  const auto key = identity::read_signing_request(input);
  if (!key) {
    MUSTER_CHECK(input != made().request);
    return;
  }
  MUSTER_CHECK(*key == made().public_key && input.size() <= identity::kMostRequestBytes);
}

std::vector<std::string> seeds() {
  return {made().request, made().request + "x", std::string("\x30\x03\x02\x01\x00", 5)};
}

std::vector<std::string> words() {
  return {std::string("\x2b\x65\x70", 3), std::string("\x30\x81", 2),
          std::string("\x03\x21\x00", 3)};
}

}  // namespace muster::fuzz
