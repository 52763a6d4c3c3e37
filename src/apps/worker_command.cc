#include <spdlog/spdlog.h>

#include "apps/daemon.h"
#include "base/address.h"
#include "base/printable.h"
#include "cli/flag_checks.h"
#include "host/driver.h"
#include "io/engine_process.h"
#include "io/local_models.h"
#include "io/loop.h"
#include "io/machine_keys.h"
#include "io/mesh/mesh_client.h"
#include "io/record_store.h"
#include "io/stop_signal.h"
#include "roles/storage/storage.h"
#include "roles/worker/worker.h"

namespace muster::apps {
namespace {

struct Options {
  DaemonFlags daemon;
  cli::ServerAddress server;
  std::string role = "auto", owner, model_dir, storage_ip;
  int threads = 0, storage_port = 0;
};

pb::RoleFlag role_flag(const std::string& role) {
  if (role == "compute") return pb::ROLE_FLAG_COMPUTE;
  return role == "storage" ? pb::ROLE_FLAG_STORAGE : pb::ROLE_FLAG_AUTO;
}

Status work(const Options& options) {
  MUSTER_TRY(const std::string server, options.server.text());
  MUSTER_TRY(const auto hub, io::HubSettings::from_environment());
  io::Loop loop;
  io::StopSignal signal;  // Before any thread, behind the loop that it stops.
  MUSTER_TRY(const auto state_dir, begin_daemon(options.daemon, "worker"));
  MUSTER_TRY(const auto keys, io::MachineKeys::open(state_dir.path()));
  const std::string machine = roles::machine_id(keys.public_key());
  const bool stores = options.role != "compute", computes = options.role != "storage";

  std::unique_ptr<io::RecordStore> store;
  if (stores) {
    MUSTER_TRY(store, io::RecordStore::open(state_dir.path(), loop));
    if (!store->set_aside().empty()) {
      spdlog::warn("the records were damaged and are set aside in {}; beginning another store",
                   store->set_aside().string());
    }
  }
  if (store && store->is_copy()) {
    spdlog::warn(
        "the records were made elsewhere and copied here; beginning another store with them");
  }
  const io::StopSignal::Ending ending_store(signal, "the disk of its store");
  io::Models models(expanded(options.model_dir), hub);
  io::EngineProcess engine({io::program_beside_this("muster-engine"), options.threads}, models,
                           loop);
  const io::StopSignal::Ending ending_engine(signal, "its engine, or a download of a model");
  io::NodeIdentity identity{role_flag(options.role), store ? store->state().store_id : "",
                            options.owner, "", MUSTER_VERSION};
  if (!options.storage_ip.empty()) {
    MUSTER_TRY(Address storage, parse_address(options.storage_ip));
    if (options.storage_port > 0) storage.port = options.storage_port;
    identity.storage_address = storage.text();
  }
  std::vector<pb::Role> hosted;
  if (computes) hosted.push_back(pb::ROLE_WORKER);
  if (stores) hosted.push_back(pb::ROLE_STORAGE);
  io::MeshClient mesh(server, identity,
                      {keys.public_key(), [&](std::string_view bytes) { return keys.sign(bytes); }},
                      hosted, loop);
  const io::StopSignal::Ending ending_mesh(signal, "its line to the server");
  mesh.on_news = [](const std::string& news) { spdlog::info(printable(news)); };

  LogConsole console;
  host::Driver driver(machine, {.net = &mesh,
                                .console = &console,
                                .stores = {{pb::ROLE_STORAGE, store.get()}},
                                .engine = &engine});
  if (computes) driver.add_role(pb::ROLE_WORKER, std::make_unique<roles::worker::Worker>(keys));
  if (stores) {
    driver.add_role(pb::ROLE_STORAGE,
                    std::make_unique<roles::storage::Storage>(machine, store->state(), keys));
  }
  spdlog::info("machine {} ({})", machine, options.role);
  mesh.start();
  signal.on_stop([&] { loop.stop(); });
  loop.run(driver);
  spdlog::info("stopping");
  return {};
}

}  // namespace

void add_worker_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("worker", "lend this machine: it computes, or stores");
  cli::add_server_flags(*command, options->server);
  command->add_option("--role", options->role, "what it may be used for")
      ->check(CLI::IsMember({"auto", "compute", "storage"}))
      ->capture_default_str();
  command->add_option("--owner", options->owner, "whose machine this is")
      ->check(cli::line_of_text(cli::kMostNameBytes));
  command
      ->add_option("--threads", options->threads, "threads of its engine [its share of the cores]")
      ->check(CLI::Range(1, 1024));
  command->add_option("--model_dir", options->model_dir, "folder with model directories");
  command->add_option("--storage_ip", options->storage_ip, "the manual's; shown in status")
      ->check(cli::host_with_port());
  command->add_option("--storage_port", options->storage_port, "the manual's; shown in status")
      ->check(CLI::Range(0, 65535));
  add_daemon_flags(*command, options->daemon);
  command->footer("Example:\n  muster worker --ip 127.0.0.1 --port 30000 --owner lab-3");
  commands["worker"] = [options] { return work(*options); };
}

}  // namespace muster::apps
