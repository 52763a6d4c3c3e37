#pragma once

#include <string>

#include "wire/keys.h"

namespace muster::sim {

// Keys without cryptography: the signature is a keyed hash, which still fails on an altered byte or
// a wrong key. Two hundred times as fast as Ed25519.
class HashKeys final : public wire::Keys {
 public:
  explicit HashKeys(std::string key) : key_(std::move(key)) {}
  [[nodiscard]] std::string public_key() const override { return key_; }
  [[nodiscard]] std::string sign(std::string_view bytes) const override;
  [[nodiscard]] bool verify(std::string_view public_key, std::string_view bytes,
                            std::string_view signature) const override;

 private:
  std::string key_;
};

// Those of the node of this name.
inline HashKeys keys_of(const std::string& name) { return HashKeys("key of " + name); }

// A hash for drawing things from text: fast, the same everywhere, no secret.
uint64_t mix(std::string_view text, uint64_t seed = 0);

}  // namespace muster::sim
