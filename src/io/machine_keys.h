#pragma once

#include "base/file.h"
#include "base/result.h"
#include "base/rng.h"
#include "wire/keys.h"

namespace muster::io {

// A machine's Ed25519 key (libsodium; about 18 us to sign, 39 us to verify).
class MachineKeys final : public wire::Keys {
 public:
  // Reads machine.key in the folder, or makes it on the first start (0600). kDisk, or kDataLoss for
  // a file that is no key.
  static Result<MachineKeys> open(const Path& state_dir);

  [[nodiscard]] std::string public_key() const override { return public_key_; }
  // libsodium's 64 bytes, for TLS.
  [[nodiscard]] const std::string& secret_key() const { return secret_key_; }
  [[nodiscard]] std::string sign(std::string_view bytes) const override;
  [[nodiscard]] bool verify(std::string_view public_key, std::string_view bytes,
                            std::string_view signature) const override;

 private:
  MachineKeys() = default;
  std::string public_key_, secret_key_;
};

// `count` bytes nobody can guess.
std::string random_bytes(size_t count);
// A generator that nobody can foretell where it begins.
Rng random_seed();

bool verify_signature(std::string_view public_key, std::string_view bytes,
                      std::string_view signature);

}  // namespace muster::io
