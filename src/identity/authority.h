#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/pool_role.h"

namespace muster::identity {

// The name that the server's certificate has, whatever its address: what clients ask for.
constexpr const char* kServerName = "server.muster";

// A certificate and its private key, in PEM.
struct Credentials {
  std::string certificate, key;
};

// The authority of one pool: whoever has a certificate of it is in. ECDSA P-256, since that lets
// gRPC 1.51 be held to TLS 1.3. Its const methods may be called by several threads. About 0.3 ms a
// certificate.
class Authority {
 public:
  // Of a new pool. Its certificate holds for twenty years from `now` on.
  static Result<Authority> make(int64_t now);
  // As credentials() gave it. kDataLoss: no authority, or the key is another's.
  static Result<Authority> read(const Credentials& credentials);

  // Its own, the key of all others among them: to be kept from everybody.
  [[nodiscard]] Credentials credentials() const;
  [[nodiscard]] std::string certificate() const;

  // For who has this Ed25519 key: signed for `seconds` from `now` on, and for two days before,
  // since clocks differ. kDataLoss: it is no key.
  [[nodiscard]] Result<std::string> issue(std::string_view public_key, const pb::Holder& holder,
                                          int64_t now, int64_t seconds) const;
  // For the server itself, with a new key.
  [[nodiscard]] Result<Credentials> issue_server(int64_t now, int64_t seconds) const;

  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;
  ~Authority();

 private:
  struct Held;
  explicit Authority(std::unique_ptr<Held> held);
  std::unique_ptr<Held> held_;
};

}  // namespace muster::identity
