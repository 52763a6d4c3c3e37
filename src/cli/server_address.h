#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

namespace muster::cli {

// Where the server is: --ip and --port, else MUSTER_SERVER=host:port, else 127.0.0.1:30000.
struct ServerAddress {
  std::string ip;
  int port = 0;
  [[nodiscard]] std::string text() const;
};
void add_server_flags(CLI::App& command, ServerAddress& address);

}  // namespace muster::cli
