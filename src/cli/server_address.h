#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace muster::cli {

// A host as it stands before a port: an IPv6 address in brackets, anything else as it is.
std::string bracketed(const std::string& host);

// Where the server is: --ip and --port, else MUSTER_SERVER=host:port, else 127.0.0.1:30000. An IPv6
// address may stand in brackets, and must before a port.
struct ServerAddress {
  std::string ip;
  int port = 0;
  [[nodiscard]] std::string text() const;
};
void add_server_flags(CLI::App& command, ServerAddress& address);

}  // namespace muster::cli
