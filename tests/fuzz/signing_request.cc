// Requests for a certificate (identity/signing_request.h), signed by the key that they are of. One
// that is read is of the key that signed the one here, since nobody has signed another; what comes
// after it is no part of one.
#include "identity/signing_request.h"
#include "base/check.h"
#include "known_key.h"
#include "target.h"

namespace muster::fuzz {
namespace {

struct Made {
  const KnownKey key;
  const std::string request = *identity::make_signing_request(key.secret);
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
  MUSTER_CHECK(*key == made().key.public_key && input.size() <= identity::kMostRequestBytes);
}

std::vector<std::string> seeds() {
  return {made().request, made().request + "x", std::string("\x30\x03\x02\x01\x00", 5)};
}

std::vector<std::string> words() {
  return {std::string("\x2b\x65\x70", 3), std::string("\x30\x81", 2),
          std::string("\x03\x21\x00", 3)};
}

}  // namespace muster::fuzz
