#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::identity {

// What a pool's secrets are sealed with where others can read them, as in a database: a long random
// word that an operator keeps in a file. XSalsa20-Poly1305, under a BLAKE2b digest of the word.
class PoolKey {
 public:
  // 32 characters at least; blanks and line breaks around it do not count. kInvalidArgument.
  static Result<PoolKey> parse(std::string_view text);

  // In hexadecimal; another one each time.
  [[nodiscard]] std::string seal(std::string_view secret) const;
  // kPermission: it was sealed under another key, or changed since.
  [[nodiscard]] Result<std::string> open(const std::string& sealed) const;

 private:
  PoolKey() = default;
  std::array<unsigned char, 32> key_{};
};

}  // namespace muster::identity
