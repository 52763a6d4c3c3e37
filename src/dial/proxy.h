#pragma once

#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"

namespace muster::dial {

// An HTTP proxy, which carries connections for whoever asks it by CONNECT.
struct Proxy {
  Address address;          // Where it listens, with a port.
  std::string credentials;  // USER:PASSWORD, or empty. Nobody is shown them.
  std::string origin;       // What named it: "--proxy", "https_proxy".

  // As sentences name it: "the proxy at HOST:PORT (https_proxy)".
  [[nodiscard]] std::string shown() const;
};

// http://[USER:PASSWORD@]HOST:PORT, where the scheme may be left out, and what stands before the
// last @ has %40 for @ if it likes. kInvalidArgument quotes none of it: there may be a password.
Result<Proxy> parse_proxy(std::string_view text, std::string origin);

}  // namespace muster::dial
