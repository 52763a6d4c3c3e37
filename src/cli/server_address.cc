#include "cli/server_address.h"

#include <cstdlib>

#include "base/address.h"
#include "cli/flag_checks.h"

namespace muster::cli {

void add_server_flags(CLI::App& command, ServerAddress& address) {
  command.add_option("--ip", address.ip, "the server's address [MUSTER_SERVER, else 127.0.0.1]")
      ->check(host_with_port());
  command.add_option("--port", address.port, "the server's port [MUSTER_SERVER, else 30000]")
      ->check(CLI::Range(1, 65535));
}

Result<std::string> ServerAddress::text() const {
  Address address{"127.0.0.1", 30000};
  const auto take = [&](const std::string& text) -> Status {
    MUSTER_TRY(const Address given, parse_address(text));
    address.host = given.host;
    if (given.port > 0) address.port = given.port;
    return {};
  };
  const char* variable = std::getenv("MUSTER_SERVER");
  if (variable != nullptr && *variable != '\0') {
    if (auto taken = take(variable); !taken) return fail(taken.error().in("MUSTER_SERVER"));
  }
  if (!ip.empty()) {
    MUSTER_TRY_STATUS(take(ip));
  }
  if (port > 0) address.port = port;
  return address.text();
}

}  // namespace muster::cli
