#pragma once

#include <vector>

#include "sim/world.h"

namespace muster::sim {

// What liars who know each other do so that their lie is never alone: it is an engine's lie that
// they tell; this decides who tells it, and when.
//
// A machine that is granted an item says at once that its attempt has failed: it is idle again, and
// has the terms. When a second one is granted the same item, both answer.
class Collusion {
 public:
  // Puts one of them between `node` and its line. Both outlive the node's insider.
  void join(World& world, Node& node);

 private:
  class Colluder;

  // Whether another of them was granted one of these items; if so, they answer it.
  bool is_shared(const Colluder& one, const pb::Grant& grant);

  std::vector<Colluder*> colluders_;
};

}  // namespace muster::sim
