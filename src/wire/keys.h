#pragma once

#include <string>
#include <string_view>

namespace muster::wire {

// This process's key. Production signs with Ed25519, the simulator with a keyed hash that still
// fails on an altered byte or a wrong key. Pure: same bytes, same signature.
class Keys {
 public:
  virtual ~Keys() = default;
  [[nodiscard]] virtual std::string public_key() const = 0;
  [[nodiscard]] virtual std::string sign(std::string_view bytes) const = 0;
  [[nodiscard]] virtual bool verify(std::string_view public_key, std::string_view bytes,
                                    std::string_view signature) const = 0;
};

// What a node signs to prove its key to the server that challenged it. The words in front keep a
// challenge from being something else that a key signs.
inline std::string hello_bytes(std::string_view nonce) {
  return "muster hello" + std::string(nonce);
}

// A machine's id: hex of the first 8 bytes of the SHA-256 of its public key.
std::string machine_id(std::string_view public_key);

}  // namespace muster::wire
