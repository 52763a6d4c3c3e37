// token create, ls, revoke: an operator's.
#include <cstdio>
#include <ctime>
#include <memory>

#include "base/json.h"
#include "base/printable.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/flag_checks.h"
#include "cli/join_command.h"
#include "cli/server_address.h"
#include "cli/table.h"
#include "cli/times.h"
#include "client/pool_client.h"
#include "wire/pool_role.h"

namespace muster::cli {
namespace {

struct Options {
  ServerAddress server;
  bool json = false, all = false, print_join_command = false, print_docker_command = false;
  std::string role = "worker", owner, ttl = "24h", id, address;
  uint32_t uses = 0;

  [[nodiscard]] bool prints_command() const { return print_join_command || print_docker_command; }
};

std::string state_of(const pb::TokenRow& row) {
  const int64_t now_ms = static_cast<int64_t>(std::time(nullptr)) * 1000;
  if (row.revoked_at_ms() != 0) return "revoked";
  if (row.uses() != 0 && row.used() >= row.uses()) return "spent";
  return row.expires_at_ms() <= now_ms ? "expired" : "good";
}

Json token_json(const pb::TokenRow& row) {
  return {{"token", row.id()},
          {"role", wire::to_word(row.role())},
          {"owner", row.owner()},
          {"state", state_of(row)},
          {"uses", row.uses()},
          {"used", row.used()},
          {"created_ms", row.created_at_ms()},
          {"expires_ms", row.expires_at_ms()},
          {"revoked_ms", row.revoked_at_ms()},
          {"created_by", row.created_by()}};
}

std::string uses_of(const pb::TokenRow& row) {
  return std::to_string(row.used()) + (row.uses() == 0 ? "" : " of " + std::to_string(row.uses()));
}

// Where whoever types the command reaches the server; `warning` as in address_for_others.
Result<Address> address_in_command(const Options& options, const std::string& reached,
                                   std::string& warning) {
  MUSTER_TRY(const Address server, parse_address(reached));
  if (options.address.empty()) return address_for_others(server, warning);
  MUSTER_TRY(Address address, parse_address(options.address));
  if (address.port == 0) address.port = server.port;
  return address;
}

void print_made(const Options& options, const client::PoolClient::MadeToken& made,
                const Address& address) {
  const std::string join = join_command(made.row.role(), made.token, address);
  const std::string docker = docker_command(made.row.role(), made.token, address);
  if (options.json) {
    Json json = token_json(made.row);
    json["word"] = made.token.word();
    json["join_command"] = join;
    if (!docker.empty()) json["docker_command"] = docker;
    std::printf("%s\n", json.dump(-1, ' ', true).c_str());
    return;
  }
  if (!options.prints_command()) std::printf("%s\n", made.token.word().c_str());
  if (options.print_join_command) std::printf("%s\n", join.c_str());
  if (options.print_docker_command) std::printf("%s\n", docker.c_str());
}

Status create(const Options& options) {
  const bool lends = options.role == "worker" || options.role == "coordinator";
  if (options.print_docker_command && !lends) {
    return fail(Code::kInvalidArgument,
                "--print_docker_command is for a worker's or a coordinator's token");
  }
  MUSTER_TRY(const auto server, options.server.access_of_person());
  pb::CreateToken asked;
  asked.set_role(wire::to_pool_role(options.role));
  asked.set_owner(options.owner);
  asked.set_uses(options.uses);
  MUSTER_TRY(const auto ttl, parse_duration(options.ttl));
  asked.set_ttl_s(static_cast<uint64_t>(ttl.count()));
  client::PoolClient pool(server);
  MUSTER_TRY(const auto made, pool.create_token(asked));
  std::string warning;
  MUSTER_TRY(const Address address, address_in_command(options, server.address, warning));
  if (options.prints_command() && !warning.empty()) {
    std::fprintf(stderr, "muster: %s\n", warning.c_str());
  }
  print_made(options, made, address);
  return {};
}

Status list(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto list, pool.tokens(options.all));
  if (options.json) {
    Json rows = Json::array();
    for (const auto& row : list.rows()) rows.push_back(token_json(row));
    std::printf("%s\n",
                Json{{"tokens", rows}, {"in_all", list.in_all()}}.dump(-1, ' ', true).c_str());
    return {};
  }
  Table table({{"Token"}, {"Role"}, {"Owner"}, {"State"}, {"Used"}, {"Good until"}, {"Made by"}});
  for (const auto& row : list.rows()) {
    table.add_row({row.id(), std::string(wire::to_word(row.role())), row.owner(), state_of(row),
                   uses_of(row), local_time(row.expires_at_ms()), row.created_by()});
  }
  std::printf("%s", table.text().c_str());
  if (list.in_all() > static_cast<uint64_t>(list.rows_size())) {
    std::printf("the newest %d of %llu\n", list.rows_size(),
                static_cast<unsigned long long>(list.in_all()));
  }
  return {};
}

Status revoke(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto reply, pool.revoke_token(options.id));
  if (options.json) {
    std::printf("%s\n", token_json(reply.row()).dump(-1, ' ', true).c_str());
  } else {
    std::printf("token %s is revoked; whom it let in is in no more\n",
                printable(reply.row().id()).c_str());
  }
  return {};
}

CLI::App* add(CLI::App& token, const char* name, const char* what,
              const std::shared_ptr<Options>& options) {
  auto* command = token.add_subcommand(name, what);
  command->add_flag("--json", options->json, "JSON on stdout");
  add_server_flags(*command, options->server);
  return command;
}

}  // namespace

void add_token_commands(CLI::App& app, Commands& commands) {
  auto* token = app.add_subcommand("token", "what lets machines and people into the pool");
  token->require_subcommand(1);
  token->footer("Example:\n  muster token create --role worker --owner lab --print_join_command");
  const auto creating = std::make_shared<Options>(), listing = std::make_shared<Options>(),
             revoking = std::make_shared<Options>();
  auto* made =
      add(*token, "create", "make one, and print it: nobody can ask for it again", creating);
  made->add_option("--role", creating->role, "whom it is for")
      ->check(CLI::IsMember({"worker", "coordinator", "researcher", "operator"}))
      ->capture_default_str();
  made->add_option("--owner", creating->owner,
                   "whose machines they are, or who it is; votes of one owner count as one")
      ->check(line_of_text(kMostNameBytes));
  made->add_option("--uses", creating->uses, "how many it lets in (0: any number)")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  made->add_option("--ttl", creating->ttl, "for how long it lets somebody in: 90s, 30m, 24h, 7d")
      ->check(duration())
      ->capture_default_str();
  made->add_flag("--print_join_command", creating->print_join_command,
                 "print what its holder types");
  made->add_flag("--print_docker_command", creating->print_docker_command,
                 "print what its holder types to lend a machine as a container");
  made->add_option("--address", creating->address,
                   "where its holder reaches the server, for these commands [--ip, and for this "
                   "machine's own its address in its network]")
      ->check(host_with_port());
  made->footer("Example:\n  muster token create --role worker --owner lab --print_join_command");
  auto* listed = add(*token, "ls", "those that let somebody in, the newest first", listing);
  listed->add_flag("--all", listing->all, "the others, too");
  listed->footer("Example:\n  muster token ls --all");
  auto* revoked =
      add(*token, "revoke", "end it, and send away whom it let in within seconds", revoking);
  revoked->add_option("token", revoking->id, "its name as 'token ls' has it, or how that begins")
      ->required()
      ->check(line_of_text(kMostNameBytes));
  revoked->footer("Example:\n  muster token revoke 3fa9c2d1");
  commands["token"] = [=] {
    if (made->parsed()) return create(*creating);
    return listed->parsed() ? list(*listing) : revoke(*revoking);
  };
}

}  // namespace muster::cli
