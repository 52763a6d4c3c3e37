#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster {

// Where something listens, as people write it: HOST, HOST:PORT, an IPv6 address alone or, with a
// port, in brackets. A host is a name, an IPv4 or an IPv6 address (with its zone, if any).
struct Address {
  std::string host;  // Without brackets.
  int port = 0;      // 0: none was given.

  // HOST or HOST:PORT, an IPv6 address in brackets.
  [[nodiscard]] std::string text() const;
};

// kInvalidArgument says what is wrong with it, a URL for instance. Nothing is looked up.
Result<Address> parse_address(std::string_view text);

// Whether only this machine can be reached under it: "localhost", 127.0.0.0/8 (as
// ::ffff:127.0.0.1, too), ::1.
bool is_loopback(const std::string& host);

}  // namespace muster
