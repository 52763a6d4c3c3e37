#include "io/machine_keys.h"

#include <sodium.h>

#include <cstring>

#include "base/check.h"

namespace muster::io {
namespace {

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace

Result<MachineKeys> MachineKeys::open(const Path& state_dir) {
  MUSTER_CHECK(sodium_init() >= 0);
  const Path path = state_dir / "machine.key";
  auto seed = read_file(path, 4096);
  if (!seed && seed.error().code == Code::kNotFound) {
    seed = random_bytes(crypto_sign_SEEDBYTES);
    MUSTER_TRY_STATUS(write_file_atomically(path, *seed));
  }
  if (!seed) return fail(seed.error());
  if (seed->size() != crypto_sign_SEEDBYTES) {
    return fail(Code::kDataLoss,
                path.string() + ": not a machine key; delete it to become a new machine");
  }
  MachineKeys keys;
  keys.public_key_.resize(crypto_sign_PUBLICKEYBYTES);
  keys.secret_key_.resize(crypto_sign_SECRETKEYBYTES);
  crypto_sign_seed_keypair(raw(keys.public_key_), raw(keys.secret_key_), raw(*seed));
  return keys;
}

std::string MachineKeys::sign(std::string_view bytes) const {
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(raw(signature), nullptr, raw(bytes), bytes.size(), raw(secret_key_));
  return signature;
}

bool MachineKeys::verify(std::string_view public_key, std::string_view bytes,
                         std::string_view signature) const {
  return verify_signature(public_key, bytes, signature);
}

std::string random_bytes(size_t count) {
  MUSTER_CHECK(sodium_init() >= 0);
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

Rng random_seed() {
  uint64_t seed = 0;
  std::memcpy(&seed, random_bytes(sizeof seed).data(), sizeof seed);
  return Rng(seed);
}

bool verify_signature(std::string_view public_key, std::string_view bytes,
                      std::string_view signature) {
  MUSTER_CHECK(sodium_init() >= 0);
  return public_key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(raw(signature), raw(bytes), bytes.size(), raw(public_key)) ==
             0;
}

}  // namespace muster::io
