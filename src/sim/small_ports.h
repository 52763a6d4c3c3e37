#pragma once

#include "host/ports.h"
#include "sim/world.h"

namespace muster::sim {

// The ports of a node that have no state of their own. `world` and `node` outlive each.

// The node's line. An insider hears first what the roles say, and may keep it back.
class NodeNet final : public host::Net {
 public:
  NodeNet(World& world, Node& node) : world_(world), node_(node) {}
  void send(pb::Envelope envelope) override;
  void reopen_line() override { world_.lines.close(node_); }

 private:
  World& world_;
  Node& node_;
};

// Builds a job's requests, in as long as World::freezing lets it take.
class NodeCompute final : public host::Compute {
 public:
  NodeCompute(World& world, Node& node) : world_(world), node_(node) {}
  void freeze(pb::Role owner, const roles::FreezeRequests& freeze) override;

 private:
  World& world_;
  Node& node_;
};

// Has every model that is asked for, under a commit that its name gives.
class NodeHub final : public host::Hub {
 public:
  NodeHub(World& world, Node& node) : world_(world), node_(node) {}
  void pin(pb::Role owner, const roles::PinModel& pin) override;

 private:
  World& world_;
  Node& node_;
};

// Shows notes to whoever observes the world.
class NodeConsole final : public host::Console {
 public:
  NodeConsole(World& world, Node& node) : world_(world), node_(node) {}
  void note(pb::Role, const roles::Note& note) override { world_.observer().on_note(node_, note); }

 private:
  World& world_;
  Node& node_;
};

}  // namespace muster::sim
