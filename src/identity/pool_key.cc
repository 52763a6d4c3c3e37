#include "identity/pool_key.h"

#include <sodium.h>

#include "base/digest.h"

namespace muster::identity {
namespace {

constexpr size_t kLeast = 32, kMost = 4096;
constexpr std::string_view kPurpose = "muster pool key";
constexpr const char* kBlanks = " \t\r\n";

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Result<PoolKey> PoolKey::parse(std::string_view text) {
  const size_t first = std::min(text.find_first_not_of(kBlanks), text.size());
  text.remove_prefix(first);
  text.remove_suffix(text.size() - std::min(text.find_last_not_of(kBlanks) + 1, text.size()));
  if (text.size() < kLeast || text.size() > kMost) {
    return fail(Code::kInvalidArgument,
                "no key of a pool: 32 random characters at least, as 'openssl rand -hex 32' makes");
  }
  PoolKey key;
  crypto_generichash(key.key_.data(), key.key_.size(), bytes_of(text), text.size(),
                     bytes_of(kPurpose), kPurpose.size());
  return key;
}

std::string PoolKey::seal(std::string_view secret) const {
  std::string sealed(crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + secret.size(), '\0');
  auto* const nonce = reinterpret_cast<unsigned char*>(sealed.data());
  randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
  crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, bytes_of(secret), secret.size(), nonce,
                        key_.data());
  return to_hex(sealed);
}

Result<std::string> PoolKey::open(const std::string& sealed) const {
  constexpr size_t kAround = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  const auto bytes = from_hex(sealed);
  if (bytes && bytes->size() >= kAround) {
    std::string secret(bytes->size() - kAround, '\0');
    const unsigned char* const nonce = bytes_of(*bytes);
    if (crypto_secretbox_open_easy(
            reinterpret_cast<unsigned char*>(secret.data()), nonce + crypto_secretbox_NONCEBYTES,
            bytes->size() - crypto_secretbox_NONCEBYTES, nonce, key_.data()) == 0) {
      return secret;
    }
  }
  return fail(Code::kPermission, "sealed under another key");
}

}  // namespace muster::identity
