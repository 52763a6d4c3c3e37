#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "identity/access.h"

namespace muster::cli {

// Where the server is: --ip and --port, else what MUSTER_SERVER says, else 127.0.0.1:30000. Both
// --ip and MUSTER_SERVER may have a port; --port counts before either's. And what lets one in: the
// token in --token_file, else in MUSTER_TOKEN, else what a server on this machine has left.
//
// A person who has logged in is at the pool where he did that, if he names no other. A proxy is
// between where --proxy or a variable says so (dial/proxy_rules.h).
struct ServerAddress {
  std::string ip, token_file, proxy;
  int port = 0;
  bool insecure = false;

  // Of a machine. kInvalidArgument names what is no address or no token.
  [[nodiscard]] Result<identity::Access> access() const;
  // Of a person. kDataLoss, too: what he logged in with cannot be read.
  [[nodiscard]] Result<identity::Access> access_of_person() const;

 private:
  [[nodiscard]] Result<identity::Access> access_from(Address address) const;
};
void add_server_flags(CLI::App& command, ServerAddress& address);

}  // namespace muster::cli
