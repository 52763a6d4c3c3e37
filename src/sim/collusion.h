#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "sim/world.h"

namespace muster::sim {

// What liars who know each other do that two of them may be the first two on an item. It is an
// engine's lie that they tell; this decides who tells it, and when.
//
// A machine that is granted an item no accomplice has answered either answers first or says at once
// that its attempt has failed: then it is idle again, has the terms, and answers under them as soon
// as an accomplice has answered.
class Collusion {
 public:
  explicit Collusion(Rng rng) : rng_(rng) {}

  // Puts one of them between `node` and its line. Both outlive the node's insider.
  void join(World& world, Node& node);

 private:
  class Colluder;
  using ItemOfJob = std::pair<std::string, uint32_t>;

  [[nodiscard]] bool is_answered(const pb::Grant& grant) const;
  void answer(const pb::Grant& grant);

  Rng rng_;
  std::vector<Colluder*> colluders_;
  std::set<ItemOfJob> answered_;  // By one of them.
};

}  // namespace muster::sim
