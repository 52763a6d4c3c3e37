#include <spdlog/spdlog.h>

#include "apps/daemon.h"
#include "apps/hardware.h"
#include "apps/node.h"
#include "base/address.h"
#include "cli/flag_checks.h"
#include "host/engine_program.h"
#include "io/engine_process.h"
#include "io/local_models.h"
#include "io/record_store.h"
#include "roles/storage/storage.h"
#include "roles/worker/worker.h"
#include "wire/authority.h"
#include "wire/role_flag.h"

namespace muster::apps {
namespace {

struct Options {
  DaemonFlags daemon;
  cli::ServerAddress server;
  DrainFlag drain;
  std::string role = "auto", owner, model_dir, storage_ip;
  int threads = 0, storage_port = 0;
};

bool has_role(const Options& options, pb::Role role) {
  return wire::may_speak_as(role, wire::to_role_flag(options.role));
}

// Null: it does not store.
Result<std::unique_ptr<io::RecordStore>> open_store(const Options& options, Node& node) {
  if (!has_role(options, pb::ROLE_STORAGE)) return nullptr;
  MUSTER_TRY(auto store, io::RecordStore::open(node.folder(), node.loop()));
  if (!store->set_aside().empty()) {
    spdlog::warn("the records were damaged and are set aside in {}; beginning another store",
                 store->set_aside().string());
  }
  if (store->is_copy()) {
    spdlog::warn(
        "the records were made elsewhere and copied here; beginning another store with them");
  }
  return store;
}

Result<io::NodeIdentity> identity_of(const Options& options, const io::RecordStore* store) {
  io::NodeIdentity identity{.role_flag = wire::to_role_flag(options.role),
                            .store_id = store != nullptr ? store->state().store_id : "",
                            .owner = options.owner,
                            .version = MUSTER_VERSION,
                            .hardware = this_hardware()};
  if (options.storage_ip.empty()) return identity;
  MUSTER_TRY(Address storage, parse_address(options.storage_ip));
  if (options.storage_port > 0) storage.port = options.storage_port;
  identity.storage_address = storage.text();
  return identity;
}

std::vector<Node::Hosted> roles_of(const Options& options, const Node& node,
                                   const io::RecordStore* store) {
  std::vector<Node::Hosted> roles;
  if (has_role(options, pb::ROLE_WORKER)) {
    roles.push_back({pb::ROLE_WORKER, std::make_unique<roles::worker::Worker>(node.keys())});
  }
  if (store != nullptr) {
    roles.push_back({pb::ROLE_STORAGE, std::make_unique<roles::storage::Storage>(
                                           node.machine(), store->state(), node.keys())});
  }
  return roles;
}

Status work(const Options& options) {
  MUSTER_TRY(const auto server, options.server.access());
  MUSTER_TRY(auto hub, io::HubSettings::from_environment());
  hub.proxy = options.server.proxy;
  MUSTER_TRY(const auto node, Node::begin(options.daemon, "worker"));
  MUSTER_TRY(const auto store, open_store(options, *node));
  const io::StopSignal::Ending ending_store(node->signal(), "the disk of its store");
  io::Models models(expanded(options.model_dir), hub);
  io::EngineProcess engine({host::engine_program(), options.threads}, models, node->loop());
  const io::StopSignal::Ending ending_engine(node->signal(),
                                             "its engine, or a download of a model");
  MUSTER_TRY(const auto identity, identity_of(options, store.get()));
  return node->run(server, identity, {.engine = &engine, .records = store.get()},
                   roles_of(options, *node, store.get()), options.role, options.drain.at_most());
}

}  // namespace

void add_worker_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("worker", "lend this machine: it computes, or stores");
  cli::add_server_flags(*command, options->server);
  command->add_option("--role", options->role, "what it may be used for")
      ->check(CLI::IsMember({"auto", "compute", "storage"}))
      ->capture_default_str();
  command
      ->add_option("--owner", options->owner,
                   "whose machine this is, where its token leaves that open")
      ->check(cli::line_of_text(cli::kMostNameBytes));
  command
      ->add_option("--threads", options->threads, "threads of its engine [its share of the cores]")
      ->check(CLI::Range(1, 1024));
  command->add_option("--model_dir", options->model_dir, "folder with model directories");
  command->add_option("--storage_ip", options->storage_ip, "the manual's; shown in status")
      ->check(cli::host_with_port());
  command->add_option("--storage_port", options->storage_port, "the manual's; shown in status")
      ->check(CLI::Range(0, 65535));
  add_drain_flag(*command, options->drain);
  add_daemon_flags(*command, options->daemon, 0);
  command->footer("Example:\n  muster worker --ip 127.0.0.1 --port 30000 --owner lab-3");
  commands["worker"] = [options] { return told_in_log(options->daemon, "worker", work(*options)); };
}

}  // namespace muster::apps
