#pragma once

#include <sodium.h>

#include <string>

#include "base/check.h"

namespace muster::fuzz {

// An Ed25519 key pair whose seed everybody knows, the same in each run.
struct KnownKey {
  explicit KnownKey(char seed = 's')
      : public_key(crypto_sign_PUBLICKEYBYTES, '\0'), secret(crypto_sign_SECRETKEYBYTES, '\0') {
    MUSTER_CHECK(sodium_init() >= 0);
    const std::string bytes(crypto_sign_SEEDBYTES, seed);
    crypto_sign_seed_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                             reinterpret_cast<unsigned char*>(secret.data()),
                             reinterpret_cast<const unsigned char*>(bytes.data()));
  }
  std::string public_key, secret;
};

}  // namespace muster::fuzz
