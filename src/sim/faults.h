#pragma once

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

  World& world_;
  const Plan& plan_;
  Instant late_until_{};
  bool ended_ = false;
  uint32_t wipes_ = 0;
};

}  // namespace muster::sim
