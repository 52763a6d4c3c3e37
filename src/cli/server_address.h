#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "base/result.h"

namespace muster::cli {

// Where the server is: --ip and --port, else what MUSTER_SERVER says, else 127.0.0.1:30000. Both
// --ip and MUSTER_SERVER may have a port; --port counts before either's.
struct ServerAddress {
  std::string ip;
  int port = 0;
  // HOST:PORT; kInvalidArgument names what is no address.
  [[nodiscard]] Result<std::string> text() const;
};
void add_server_flags(CLI::App& command, ServerAddress& address);

}  // namespace muster::cli
