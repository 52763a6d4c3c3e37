#pragma once

#include "host/driver.h"
#include "sim/node_engine.h"
#include "sim/node_store.h"
#include "sim/small_ports.h"
#include "sim/world.h"

namespace muster::sim {

// A running process of a node: the Driver with the roles of production, over simulated ports.
class Process {
 public:
  // `world` and `node` outlive the object.
  Process(World& world, Node& node);

  // The storage role is built anew from what it stored, the rest lives on.
  void rebuild_storage();

  host::Driver& driver() { return driver_; }

 private:
  void add_roles();

  World& world_;
  Node& node_;
  NodeNet net_;
  NodeStore store_;
  NodeEngine engine_;
  NodeCompute compute_;
  NodeHub hub_;
  NodeConsole console_;
  host::Driver driver_;
};

}  // namespace muster::sim
