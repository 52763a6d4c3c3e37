#pragma once

#include <memory>

#include "host/driver.h"
#include "sim/world.h"

namespace muster::sim {

// A running process of a node: the Driver with the roles of production, over simulated ports.
class Process {
 public:
  // `world` and `node` outlive the object.
  Process(World& world, Node& node);
  ~Process();

  // The storage role is built anew from what it stored, the rest lives on.
  void rebuild_storage();

  host::Driver& driver() { return *driver_; }

 private:
  class NodeNet;
  class NodeStore;
  class NodeEngine;
  class NodeCompute;
  class NodeHub;
  class NodeConsole;
  void add_roles();

  World& world_;
  Node& node_;
  std::unique_ptr<host::Net> net_;
  std::unique_ptr<host::Store> store_;
  std::unique_ptr<host::Engine> engine_;
  std::unique_ptr<host::Compute> compute_;
  std::unique_ptr<host::Hub> hub_;
  std::unique_ptr<host::Console> console_;
  std::unique_ptr<host::Driver> driver_;
};

}  // namespace muster::sim
