#pragma once

#include <string>

#include "host/ports.h"
#include "sim/world.h"

namespace muster::sim {

// The engine of a node: the stand-in model in virtual time, with the node's EngineTraits. A crash
// or a stop ends the child that scores; where that costs a load, what is asked next waits for it.
class NodeEngine final : public host::Engine {
 public:
  // `world` and `node` outlive the object.
  NodeEngine(World& world, Node& node) : world_(world), node_(node) {}

  void load(pb::Role owner, const roles::LoadModel& load) override;
  void score(pb::Role owner, const roles::ScoreItem& item) override;
  void stop_scoring() override;

 private:
  void begin_child();
  [[nodiscard]] bool is_another_model(const std::string& context) const;
  [[nodiscard]] std::string model_digest() const;
  Result<roles::Scores> outcome(const roles::ScoreItem& item);
  void while_scoring(uint64_t scoring, Duration delay, pb::Role owner, roles::Event event);
  void later(Duration delay, pb::Role owner, roles::Event event);

  World& world_;
  Node& node_;
  uint64_t scoring_ = 0;  // Of the last score() or stop_scoring().
  pb::ModelPin model_;    // The one that was loaded last.
  bool under_way_ = false;
  Instant ready_at_{};  // When the child that was begun last has the model.
};

}  // namespace muster::sim
