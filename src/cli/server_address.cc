#include "cli/server_address.h"

#include <cstdlib>

#include "cli/flag_checks.h"

namespace muster::cli {

std::string bracketed(const std::string& host) {
  const bool bare = host.find(':') != std::string::npos && !host.starts_with('[');
  return bare ? "[" + host + "]" : host;
}

void add_server_flags(CLI::App& command, ServerAddress& address) {
  command.add_option("--ip", address.ip, "the server's address [MUSTER_SERVER, else 127.0.0.1]")
      ->check(line_of_text(kMostAddressBytes));
  command.add_option("--port", address.port, "the server's port [MUSTER_SERVER, else 30000]")
      ->check(CLI::Range(1, 65535));
}

std::string ServerAddress::text() const {
  const char* variable = std::getenv("MUSTER_SERVER");
  std::string host = "127.0.0.1", number = "30000";
  if (const std::string named = variable != nullptr ? variable : ""; !named.empty()) {
    const size_t colon = named.rfind(':'), bracket = named.rfind(']');
    const bool in_brackets = named.starts_with('[') && bracket != std::string::npos;
    const bool bare = !in_brackets && named.find(':') != colon;  // Two colons: IPv6 alone.
    const bool has_port = colon != std::string::npos && !bare && (!in_brackets || colon > bracket);
    host = has_port ? named.substr(0, colon) : named;
    if (has_port) number = named.substr(colon + 1);
  }
  if (!ip.empty()) host = ip;
  if (port > 0) number = std::to_string(port);
  return bracketed(host) + ":" + number;
}

}  // namespace muster::cli
