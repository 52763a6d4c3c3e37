#include "sim/process.h"

#include "roles/coordinator/coordinator.h"
#include "roles/server/server.h"
#include "roles/storage/storage.h"
#include "roles/worker/worker.h"

namespace muster::sim {

Process::Process(World& world, Node& node)
    : world_(world),
      node_(node),
      net_(world, node),
      store_(world, node),
      engine_(world, node),
      compute_(world, node),
      hub_(world, node),
      console_(world, node),
      driver_(node.machine, {.net = &net_,
                             .console = &console_,
                             .database = &store_,
                             .engine = &engine_,
                             .records = &store_,
                             .hub = &hub_,
                             .compute = &compute_}) {
  if (world.roles_are_checked) driver_.check_each_step();
  add_roles();
}

void Process::add_roles() {
  if (node_.is_server()) {
    roles::server::ServerOptions options = world_.server_options;
    options.started_at_ms = world_.now().time_since_epoch().count() / 1000;
    driver_.add_role(pb::ROLE_SERVER,
                     std::make_unique<roles::server::Server>(
                         std::move(options), node_.database.state(), node_.local(world_.now())));
    return;
  }
  if (node_.flag == pb::ROLE_FLAG_COORDINATOR) {
    driver_.add_role(pb::ROLE_COORDINATOR, std::make_unique<roles::coordinator::Coordinator>(
                                               *node_.keys, Rng(world_.rng.next())));
    return;
  }
  if (node_.computes()) {
    driver_.add_role(pb::ROLE_WORKER, std::make_unique<roles::worker::Worker>(*node_.keys));
  }
  if (node_.stores()) rebuild_storage();
}

void Process::rebuild_storage() {
  driver_.add_role(pb::ROLE_STORAGE, std::make_unique<roles::storage::Storage>(
                                         node_.machine, node_.records.state(), *node_.keys));
}

}  // namespace muster::sim
