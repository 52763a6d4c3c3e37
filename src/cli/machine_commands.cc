// machine ls, drain, remove: an operator's.
#include <cstdio>
#include <memory>

#include "base/printable.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "cli/machine_json.h"
#include "cli/server_address.h"
#include "cli/table.h"
#include "client/pool_client.h"
#include "wire/role_flag.h"

namespace muster::cli {
namespace {

struct Options {
  ServerAddress server;
  bool json = false;
  std::string machine;
};

Status list(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto status, pool.status(true));
  if (options.json) {
    Json machines = Json::array();
    for (const auto& machine : status.machines()) machines.push_back(machine_json(machine));
    std::printf(
        "%s\n",
        Json{{"machines", machines}, {"left_out", status.left_out()}}.dump(-1, ' ', true).c_str());
    return {};
  }
  Table table({{"Machine"}, {"Role"}, {"State"}, {"Owner"}, {"Token"}, {"Version"}, {"Reason"}});
  for (const auto& machine : status.machines()) {
    table.add_row({machine.machine(), std::string(wire::to_word(machine.role_flag())),
                   machine.state(), machine.owner(), machine.token(), machine.version(),
                   machine.reason()});
  }
  std::printf("%s", table.text().c_str());
  return {};
}

Status remove(const Options& options, bool drain) {
  MUSTER_TRY(const auto server, options.server.access_of_person());
  client::PoolClient pool(server);
  MUSTER_TRY(const auto reply, pool.remove_machine(options.machine, drain));
  if (options.json) {
    const char* const state = drain ? "leaving" : "removed";
    std::printf("%s\n", Json{{"machine", reply.machine()}, {"state", state}}.dump().c_str());
    return {};
  }
  std::printf(drain ? "machine %s is given nothing new, and removed once it holds nothing; 'muster "
                      "pardon' lets it stay\n"
                    : "machine %s is removed; 'muster pardon' lets it in again\n",
              printable(reply.machine()).c_str());
  return {};
}

CLI::App* add_removal(CLI::App& machine, const char* name, const char* what, Options& options) {
  auto* command = machine.add_subcommand(name, what);
  command->add_option("machine", options.machine, "its id, or how it begins")
      ->required()
      ->check(line_of_text(kMostNameBytes));
  command->add_flag("--json", options.json, "JSON on stdout");
  add_server_flags(*command, options.server);
  command->footer(std::string("Example:\n  muster machine ") + name + " 8ca2d714");
  return command;
}

}  // namespace

void add_machine_commands(CLI::App& app, Commands& commands) {
  auto* machine = app.add_subcommand("machine", "the pool's machines, one by one");
  machine->require_subcommand(1);
  machine->footer("Example:\n  muster machine ls");
  const auto listing = std::make_shared<Options>(), removing = std::make_shared<Options>(),
             draining = std::make_shared<Options>();
  auto* listed =
      machine->add_subcommand("ls", "those that are here, or of which something is known");
  listed->add_flag("--json", listing->json, "JSON on stdout");
  add_server_flags(*listed, listing->server);
  listed->footer("Example:\n  muster machine ls --json");
  add_removal(*machine, "remove", "send one away, and let it in no more", *removing);
  const auto* drained =
      add_removal(*machine, "drain",
                  "remove one once its work is done and others hold what it stores", *draining);
  commands["machine"] = [=] {
    if (listed->parsed()) return list(*listing);
    return drained->parsed() ? remove(*draining, true) : remove(*removing, false);
  };
}

}  // namespace muster::cli
