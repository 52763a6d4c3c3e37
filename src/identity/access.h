#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "dial/dial.h"
#include "identity/login.h"
#include "identity/token.h"

namespace muster::identity {

// How to get into a pool: where its server is, and by what right.
struct Access {
  std::string address;         // HOST:PORT.
  bool insecure = false;       // Without TLS, which the server has to have been told as well.
  std::optional<Token> token;  // That was given.
  std::optional<Login> login;  // Of a person who has logged in to that server, and gave no token.
  int local_port = 0;          // Of a server on this machine; 0: it is on another.
  std::optional<dial::Proxy> proxy;  // That carries connections to it; none: directly.

  [[nodiscard]] dial::Route route() const { return {address, proxy}; }

  // The one that was given, else the one that a server on this machine has left. kPermission: none
  // was given, and there can be no other; kUnavailable: no server of this user has left one here.
  [[nodiscard]] Result<Token> find_token() const;
};

}  // namespace muster::identity
