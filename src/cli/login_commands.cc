// login, logout: a person at a pool.
#include <cstdio>
#include <filesystem>
#include <memory>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "cli/server_address.h"
#include "cli/times.h"
#include "client/logging_in.h"
#include "identity/certificate.h"
#include "wire/pool_role.h"

namespace muster::cli {
namespace {

constexpr size_t kMostWord = 200;

struct Options {
  ServerAddress server;
  std::string token;
};

Status log_in(const Options& options) {
  MUSTER_TRY(auto access, options.server.access());
  if (access.insecure) {
    return fail(Code::kUnsupported, "a server that was started with --insecure lets everybody in");
  }
  if (!options.token.empty()) {
    MUSTER_TRY(access.token, identity::Token::parse(options.token));
  }
  MUSTER_TRY(const auto login, client::log_in(access, false));
  const Path file = identity::login_file();
  MUSTER_TRY_STATUS(identity::write_login(file, login));
  MUSTER_TRY(const auto certificate, identity::read_certificate(login.certificate));
  const pb::Holder& holder = certificate.holder;
  std::string who(wire::to_word(holder.role()));
  if (!holder.owner().empty()) who = holder.owner() + ", " + who;
  std::printf("at the pool of %s as %s; kept in %s\n", printable(login.server).c_str(),
              printable(who).c_str(), printable(file.string()).c_str());
  return {};
}

Status log_out() {
  std::error_code error;
  const Path file = identity::login_file();
  const bool was_in = std::filesystem::remove(file, error);
  if (error) return fail(Code::kDisk, file.string() + ": " + error.message());
  std::printf("%s\n", was_in ? "logged out" : "nobody had logged in");
  return {};
}

}  // namespace

void add_login_commands(CLI::App& app, Commands& commands) {
  const auto options = std::make_shared<Options>();
  auto* login = app.add_subcommand("login", "be at a pool from now on, by an operator's token");
  login
      ->add_option("token", options->token,
                   "the word; who shares this machine sees it here, but not in --token_file or "
                   "MUSTER_TOKEN")
      ->check(line_of_text(kMostWord));
  add_server_flags(*login, options->server);
  login->footer("Example:\n  MUSTER_TOKEN=muster_... muster login --ip pool.example.org");
  commands["login"] = [options] { return log_in(*options); };
  auto* logout = app.add_subcommand("logout", "be at no pool any more");
  logout->footer("Example:\n  muster logout");
  commands["logout"] = [] { return log_out(); };
}

}  // namespace muster::cli
