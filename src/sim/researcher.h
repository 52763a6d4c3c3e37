#pragma once

#include <string>

#include "sim/plan.h"
#include "sim/world.h"

namespace muster::sim {

// One person with one job: submits until it is accepted, watches until it is over, asks again when
// nothing is heard; cancels or forces when the plan says so.
class Researcher {
 public:
  // Both outlive the object.
  Researcher(World& world, const JobPlan& plan, std::string name);

  void start();
  void hear(const pb::Envelope& envelope);
  // Everything the person wanted is over; `state` is how the last run ended.
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] pb::JobState state() const { return state_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& job() const { return job_; }
  [[nodiscard]] const JobPlan& plan() const { return plan_; }

 private:
  void act();
  void ask(pb::Envelope envelope);
  void on_over(const pb::JobRow& row);
  [[nodiscard]] pb::Envelope submission() const;

  World& world_;
  const JobPlan& plan_;
  std::string name_, job_;
  uint32_t run_ = 0;
  bool done_ = false, force_ = false;
  pb::JobState state_ = pb::JOB_STATE_UNSPECIFIED;
  std::string reason_;
};

}  // namespace muster::sim
