// Certificates (identity/certificate.h), in DER behind the PEM that is put around an input, and as
// they come. One that is read has a key whose id it names, a role, and names within their bounds;
// of this pool there is one, whatever is changed.
#include <sodium.h>

#include "base/check.h"
#include "identity/authority.h"
#include "identity/certificate.h"
#include "input.h"
#include "known_key.h"
#include "target.h"
#include "wire/bounds.h"
#include "wire/keys.h"

namespace muster::fuzz {
namespace {

constexpr int64_t kNow = 1'800'000'000;

struct Pool {
  Pool() {
    const KnownKey key;
    good = *authority.issue(
        key.public_key, wire::make_holder(pb::POOL_ROLE_RESEARCHER, "alice", "0123456789abcdef"),
        kNow, 3600);
  }
  identity::Authority authority = *identity::Authority::make(kNow);
  std::string pem = authority.certificate(), good;
};

const Pool& pool() {
  static const Pool pool;
  return pool;
}

std::string armoured(std::string_view der) {
  std::string letters(sodium_base64_encoded_len(der.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(letters.data(), letters.size(),
                    reinterpret_cast<const unsigned char*>(der.data()), der.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  letters.pop_back();
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (size_t at = 0; at < letters.size(); at += 64) pem += letters.substr(at, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

std::string der_of(const std::string& pem) {
  std::string letters;
  for (size_t at = pem.find('\n') + 1; at < pem.rfind("-----END"); ++at) {
    if (pem[at] != '\n') letters += pem[at];
  }
  std::string der(letters.size(), '\0');
  size_t count = 0;
  sodium_base642bin(reinterpret_cast<unsigned char*>(der.data()), der.size(), letters.data(),
                    letters.size(), nullptr, &count, nullptr, sodium_base64_VARIANT_ORIGINAL);
  der.resize(count);
  return der;
}

void look(const std::string& pem) {
  const auto certificate = identity::read_certificate(pem);
  const bool is_ours = identity::check_issuer(pem, pool().pem).has_value();
  if (!certificate) return;
  MUSTER_CHECK(certificate->public_key.size() == 32);
  MUSTER_CHECK(certificate->machine == wire::machine_id(certificate->public_key));
  MUSTER_CHECK(!wire::to_word(certificate->holder.role()).empty());
  MUSTER_CHECK(wire::check_bounds(certificate->holder));
  if (!is_ours) return;
  const auto good = identity::read_certificate(pool().good);
  MUSTER_CHECK(certificate->public_key == good->public_key);
  MUSTER_CHECK(certificate->holder.SerializeAsString() == good->holder.SerializeAsString());
  MUSTER_CHECK(certificate->not_after == good->not_after);
}

}  // namespace

void run(std::string_view bytes) {
  Input input(bytes);
  const bool is_der = input.below(2) == 0;
  look(is_der ? armoured(input.rest()) : std::string(input.rest()));
}

std::vector<std::string> seeds() {
  return {std::string(1, '\0') + der_of(pool().good), std::string(1, '\0') + der_of(pool().pem),
          "\x01" + pool().good, "\x01" + pool().pem};
}

std::vector<std::string> words() {
  return {"muster:role:operator",
          "muster:owner:",
          "muster:token:",
          "muster:machine:",
          std::string("\x2b\x65\x70", 3),
          std::string("\x55\x1d\x11", 3)};
}

}  // namespace muster::fuzz
