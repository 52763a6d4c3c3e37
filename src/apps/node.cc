#include "apps/node.h"

#include <spdlog/spdlog.h>

#include "base/printable.h"
#include "wire/keys.h"

namespace muster::apps {

Result<std::unique_ptr<Node>> Node::begin(const DaemonFlags& flags, const std::string& kind) {
  std::unique_ptr<Node> node(new Node);
  MUSTER_TRY(auto folder, begin_daemon(flags, kind, node->signal_));
  node->folder_.emplace(std::move(folder));
  MUSTER_TRY(node->status_, open_status_port(flags, node->health_, node->readings_));
  MUSTER_TRY(auto keys, io::MachineKeys::open(node->folder()));
  node->keys_.emplace(std::move(keys));
  node->machine_ = wire::machine_id(node->keys_->public_key());
  return node;
}

Status Node::run(const identity::Access& server, const io::NodeIdentity& identity,
                 host::Ports ports, std::vector<Hosted> roles, const std::string& title,
                 std::chrono::seconds drain) {
  std::vector<pb::Role> names;
  for (const Hosted& hosted : roles) names.push_back(hosted.name);
  const auto role = identity.role_flag == pb::ROLE_FLAG_COORDINATOR ? pb::POOL_ROLE_COORDINATOR
                                                                    : pb::POOL_ROLE_WORKER;
  Status ended;
  io::Membership membership(server, folder(), *keys_, role, identity.owner);
  io::MeshClient mesh(
      membership, identity,
      {keys_->public_key(), [this](std::string_view bytes) { return keys_->sign(bytes); }}, names,
      loop_);
  const io::StopSignal::Ending ending_mesh(signal_, "its line to the server");
  mesh.on_news = [](const std::string& news) { spdlog::info(printable(news, 1000)); };
  mesh.on_denied = [&](const Error& error) {
    ended = fail(error);
    loop_.stop();
  };
  LogConsole console;
  ports.net = &mesh;
  ports.console = &console;
  host::Driver driver(machine_, ports);
  for (Hosted& hosted : roles) driver.add_role(hosted.name, std::move(hosted.role));
  spdlog::info("machine {} ({})", machine_, title);
  mesh.start();
  signal_.on_stop([this] {
    health_.end();
    loop_.stop();
  });
  signal_.on_leave(
      [this] {
        spdlog::info("leaving, once its work is done; a second signal ends it at once");
        health_.end();
        loop_.leave([this] { signal_.leave_now(); });
      },
      drain);
  health_.begin(
      {[&mesh] { return std::string(mesh.is_up() ? "" : "it has no line to the server"); }});
  readings_.begin([&driver] { return io::Reading{driver.measure(), std::nullopt}; });
  loop_.run(driver);
  readings_.end();
  health_.end();
  spdlog::info("stopping");
  return ended;
}

}  // namespace muster::apps
