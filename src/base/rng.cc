#include "base/rng.h"

#include "base/check.h"

namespace muster {

uint64_t Rng::next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

uint64_t Rng::below(uint64_t bound) {
  MUSTER_CHECK(bound >= 1);
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;  // Refuse the uneven tail.
  uint64_t draw = next();
  while (draw >= limit) draw = next();
  return draw % bound;
}

Rng Rng::fork(std::string_view name) const {
  uint64_t hash = 0xcbf29ce484222325ULL ^ state_;  // FNV-1a over the name, from our state.
  for (unsigned char c : name) hash = (hash ^ c) * 0x100000001b3ULL;
  return Rng(hash);
}

}  // namespace muster
