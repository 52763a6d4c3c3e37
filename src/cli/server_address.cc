#include "cli/server_address.h"

#include <cstdlib>

#include "base/address.h"
#include "base/file.h"
#include "cli/flag_checks.h"
#include "dial/proxy_rules.h"

namespace muster::cli {

constexpr size_t kMostTokenFile = 4096;

void add_server_flags(CLI::App& command, ServerAddress& address) {
  command.add_option("--ip", address.ip, "the server's address [MUSTER_SERVER, else 127.0.0.1]")
      ->check(host_with_port());
  command.add_option("--port", address.port, "the server's port [MUSTER_SERVER, else 30000]")
      ->check(CLI::Range(1, 65535));
  command.add_option("--token_file", address.token_file,
                     "file with a token of the pool [MUSTER_TOKEN; on the server's machine the "
                     "server's own]");
  command
      .add_option("--proxy", address.proxy,
                  "http://[USER:PASSWORD@]HOST:PORT between here and the server, or none; for "
                  "nothing on this machine and in no_proxy. Who shares this machine sees it here, "
                  "but not in the variable [https_proxy, else HTTPS_PROXY]")
      ->check(proxy_or_none());
  command.add_flag("--insecure", address.insecure, "without TLS, as the server was told");
}

namespace {

Result<std::optional<identity::Token>> given_token(const std::string& token_file) {
  const char* variable = std::getenv("MUSTER_TOKEN");
  std::string word = variable != nullptr ? variable : "", from = "MUSTER_TOKEN";
  if (!token_file.empty()) {
    from = expanded(token_file).string();
    MUSTER_TRY(word, read_input(from, kMostTokenFile));
  }
  while (!word.empty() && (word.back() == '\n' || word.back() == ' ')) word.pop_back();
  if (word.empty() && token_file.empty()) return std::nullopt;
  auto token = identity::Token::parse(word);
  if (!token) return fail(token.error().in(from));
  return *token;
}

}  // namespace

Result<identity::Access> ServerAddress::access() const { return access_from({"127.0.0.1", 30000}); }

Result<identity::Access> ServerAddress::access_of_person() const {
  MUSTER_TRY(auto login, identity::read_login(identity::login_file()));
  const Address fallback = login ? *parse_address(login->server) : Address{"127.0.0.1", 30000};
  MUSTER_TRY(auto access, access_from(fallback));
  const bool is_there = login && login->server == access.address;
  if (is_there && !access.token && !access.insecure) access.login = std::move(login);
  return access;
}

Result<identity::Access> ServerAddress::access_from(Address address) const {
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
  if (insecure && !is_loopback(address.host)) {
    return fail(Code::kPermission,
                "--insecure is for a server on this machine alone: leave it out");
  }
  identity::Access access{.address = address.text(), .insecure = insecure};
  if (is_loopback(address.host)) access.local_port = address.port;
  MUSTER_TRY(access.proxy, dial::ProxyRules::from_environment(proxy).for_host(address.host));
  if (insecure) return access;
  MUSTER_TRY(access.token, given_token(token_file));
  return access;
}

}  // namespace muster::cli
