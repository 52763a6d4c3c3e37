#include "cli/server_address.h"

#include <cstdlib>

namespace muster::cli {

void add_server_flags(CLI::App& command, ServerAddress& address) {
  command.add_option("--ip", address.ip, "the server's address [MUSTER_SERVER, else 127.0.0.1]");
  command.add_option("--port", address.port, "the server's port [MUSTER_SERVER, else 30000]")
      ->check(CLI::Range(1, 65535));
}

std::string ServerAddress::text() const {
  const char* variable = std::getenv("MUSTER_SERVER");
  std::string host = "127.0.0.1", number = "30000";
  if (const std::string named = variable != nullptr ? variable : ""; !named.empty()) {
    const size_t colon = named.rfind(':');
    host = named.substr(0, colon);
    if (colon != std::string::npos) number = named.substr(colon + 1);
  }
  if (!ip.empty()) host = ip;
  if (port > 0) number = std::to_string(port);
  return host + ":" + number;
}

}  // namespace muster::cli
