#include "sim/hash_keys.h"

#include <cstring>

#include "base/rng.h"

namespace muster::sim {

uint64_t mix(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ULL;
  return Rng(hash ^ text.size()).next();
}

std::string HashKeys::sign(std::string_view bytes) const {
  const uint64_t signature = mix(bytes, mix(key_));
  std::string out(sizeof signature, '\0');
  std::memcpy(out.data(), &signature, sizeof signature);
  return out;
}

bool HashKeys::verify(std::string_view public_key, std::string_view bytes,
                      std::string_view signature) const {
  return HashKeys(std::string(public_key)).sign(bytes) == signature;
}

}  // namespace muster::sim
