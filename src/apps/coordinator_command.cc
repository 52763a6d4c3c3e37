#include "apps/daemon.h"
#include "apps/hardware.h"
#include "apps/node.h"
#include "io/freezer.h"
#include "io/model_lookup.h"
#include "roles/coordinator/coordinator.h"

namespace muster::apps {
namespace {

struct Options {
  DaemonFlags daemon;
  cli::ServerAddress server;
  DrainFlag drain;
};

Status coordinate(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access());
  MUSTER_TRY(auto hub, io::HubSettings::from_environment());
  hub.proxy = options.server.proxy;
  MUSTER_TRY(const auto node, Node::begin(options.daemon, "coordinator"));
  io::Freezer freezer(node->loop());
  const io::StopSignal::Ending ending_freezer(node->signal(), "requests that were being built");
  io::ModelLookup lookup(node->loop(), hub);
  const io::StopSignal::Ending ending_lookup(node->signal(),
                                             "the Hub, which was asked about a model");
  std::vector<Node::Hosted> roles;
  roles.push_back({pb::ROLE_COORDINATOR, std::make_unique<roles::coordinator::Coordinator>(
                                             node->keys(), io::random_seed())});
  return node->run(server,
                   {.role_flag = pb::ROLE_FLAG_COORDINATOR,
                    .version = MUSTER_VERSION,
                    .hardware = this_hardware()},
                   {.hub = &lookup, .compute = &freezer}, std::move(roles), "coordinator",
                   options.drain.at_most());
}

}  // namespace

void add_coordinator_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("coordinator", "run jobs: cut them up, lend them out, settle answers");
  cli::add_server_flags(*command, options->server);
  add_drain_flag(*command, options->drain);
  add_daemon_flags(*command, options->daemon);
  command->footer("Example:\n  muster coordinator --ip 127.0.0.1 --port 30000");
  commands["coordinator"] = [options] {
    return told_in_log(options->daemon, "coordinator", coordinate(*options));
  };
}

}  // namespace muster::apps
