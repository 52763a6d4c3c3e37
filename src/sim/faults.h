#pragma once

#include <map>

#include "sim/plan.h"
#include "sim/world.h"

namespace muster::sim {

// Makes the faults of a plan strike and pass.
class Faults {
 public:
  // Both outlive the object.
  Faults(World& world, const Plan& plan) : world_(world), plan_(plan) {}

  void strike(const Fault& fault) { turn(fault, true); }
  void pass(const Fault& fault) { turn(fault, false); }
  // Now is the time of the copy on which the server is started again when this fault strikes.
  void keep_copy(const Fault& fault);
  // Calm weather, for good.
  void end();
  // Until then envelopes are sent that arrive late.
  [[nodiscard]] Instant late_until() const { return late_until_; }

 private:
  void turn(const Fault& fault, bool on);
  void turn_storm(const Fault& fault, bool on);
  void turn_crowd(bool leaves);
  void turn_node(Node& node, const Fault& fault, bool on);
  void come_back(Node& node, const Fault& fault);
  void flap(Node& node, Instant until);
  void lose_database(Node& server, const Fault& fault);

  World& world_;
  const Plan& plan_;
  Instant late_until_{};
  bool ended_ = false;
  uint32_t wipes_ = 0, pools_ = 0;
  std::map<const Fault*, ServerDisk> copies_;
};

}  // namespace muster::sim
