#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace muster::identity {

// What lets a stranger in, once he trades it for a certificate: given to a person as one word,
// "muster_" and 80 letters. It names itself (for `token ls` and `token revoke`), holds a secret,
// and says which authority is the pool's, so that whoever has it knows the right server from a
// false one before he says anything.
struct Token {
  std::string id;      // 16 hex digits; no secret.
  std::string secret;  // 16 bytes.
  Digest authority;    // fingerprint() of the certificate of the pool's authority.

  // A new one of a pool.
  static Token make(const Digest& authority);
  // kInvalidArgument: no token, or one that was cut or mistyped; the word itself is not repeated.
  static Result<Token> parse(std::string_view word);
  [[nodiscard]] std::string word() const;
  // What the server keeps of it. Nobody finds the secret by it.
  [[nodiscard]] Digest hash() const;
};

}  // namespace muster::identity
