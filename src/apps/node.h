#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/daemon.h"
#include "host/driver.h"
#include "identity/access.h"
#include "io/loop.h"
#include "io/machine_keys.h"
#include "io/mesh/mesh_client.h"
#include "io/status/health.h"
#include "io/status/readings.h"
#include "io/status/status_port.h"
#include "io/stop_signal.h"

namespace muster::apps {

// What every node of a pool has, be it a worker or a coordinator: a folder and a key of its own, a
// loop, one line to the server, and an end when it is told to.
//
// Whoever makes one makes it before any thread of its own; ports that use its loop come after it
// and are gone before it.
class Node {
 public:
  // `kind` names its folder and its log: "worker".
  static Result<std::unique_ptr<Node>> begin(const DaemonFlags& flags, const std::string& kind);

  io::Loop& loop() { return loop_; }
  io::StopSignal& signal() { return signal_; }
  [[nodiscard]] const Path& folder() const { return folder_->path(); }
  [[nodiscard]] const io::MachineKeys& keys() const { return *keys_; }
  [[nodiscard]] const std::string& machine() const { return machine_; }

  struct Hosted {
    pb::Role name;
    std::unique_ptr<roles::Role> role;
  };
  // Connects to the server and drives the roles until the process is told to end, and has worked
  // off and handed over what it has, which may take `drain`. `ports` are those
  // of the roles; the line and the console are its own. `title` says to a person what it is.
  // kPermission: the server does not let it in.
  Status run(const identity::Access& server, const io::NodeIdentity& identity, host::Ports ports,
             std::vector<Hosted> roles, const std::string& title, std::chrono::seconds drain);

 private:
  Node() = default;
  io::Loop loop_;
  io::Health health_{[this] { return loop_.still_for(); }};
  io::Readings readings_{loop_};
  io::StopSignal signal_;                   // Before any thread, behind the loop that it stops.
  std::unique_ptr<io::StatusPort> status_;  // Null: none.
  std::optional<io::StateDir> folder_;
  std::optional<io::MachineKeys> keys_;
  std::string machine_;
};

}  // namespace muster::apps
