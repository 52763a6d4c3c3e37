#include <spdlog/spdlog.h>

#include "apps/daemon.h"
#include "base/printable.h"
#include "host/driver.h"
#include "io/freezer.h"
#include "io/loop.h"
#include "io/machine_keys.h"
#include "io/mesh/mesh_client.h"
#include "io/model_lookup.h"
#include "io/stop_signal.h"
#include "roles/coordinator/coordinator.h"

namespace muster::apps {
namespace {

struct Options {
  DaemonFlags daemon;
  cli::ServerAddress server;
};

Status coordinate(const Options& options) {
  MUSTER_TRY(const std::string server, options.server.text());
  MUSTER_TRY(const auto hub, io::HubSettings::from_environment());
  io::Loop loop;
  io::StopSignal signal;  // Before any thread, behind the loop that it stops.
  MUSTER_TRY(const auto state_dir, begin_daemon(options.daemon, "coordinator"));
  MUSTER_TRY(const auto keys, io::MachineKeys::open(state_dir.path()));
  const std::string machine = roles::machine_id(keys.public_key());
  io::Freezer freezer(loop);
  const io::StopSignal::Ending ending_freezer(signal, "requests that were being built");
  io::ModelLookup lookup(loop, hub);
  const io::StopSignal::Ending ending_lookup(signal, "the Hub, which was asked about a model");
  io::MeshClient mesh(server, {.role_flag = pb::ROLE_FLAG_COORDINATOR, .version = MUSTER_VERSION},
                      {keys.public_key(), [&](std::string_view bytes) { return keys.sign(bytes); }},
                      {pb::ROLE_COORDINATOR}, loop);
  const io::StopSignal::Ending ending_mesh(signal, "its line to the server");
  mesh.on_news = [](const std::string& news) { spdlog::info(printable(news)); };
  LogConsole console;
  host::Driver driver(machine,
                      {.net = &mesh, .console = &console, .hub = &lookup, .compute = &freezer});
  driver.add_role(pb::ROLE_COORDINATOR,
                  std::make_unique<roles::coordinator::Coordinator>(keys, io::random_seed()));
  spdlog::info("machine {} (coordinator)", machine);
  mesh.start();
  signal.on_stop([&] { loop.stop(); });
  loop.run(driver);
  spdlog::info("stopping");
  return {};
}

}  // namespace

void add_coordinator_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("coordinator", "run jobs: cut them up, lend them out, settle answers");
  cli::add_server_flags(*command, options->server);
  add_daemon_flags(*command, options->daemon);
  command->footer("Example:\n  muster coordinator --ip 127.0.0.1 --port 30000");
  commands["coordinator"] = [options] { return coordinate(*options); };
}

}  // namespace muster::apps
