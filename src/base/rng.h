#pragma once

#include <cstdint>
#include <string_view>

namespace muster {

// A stream of pseudo-random numbers (SplitMix64), the same on every machine. Parts that must not
// disturb each other's draws take a fork each. Not for secrets.
class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t next();
  // Uniform in [0, bound); bound >= 1 (checked).
  uint64_t below(uint64_t bound);
  // An independent stream, named: the same name gives the same stream.
  [[nodiscard]] Rng fork(std::string_view name) const;

 private:
  uint64_t state_;
};

}  // namespace muster
