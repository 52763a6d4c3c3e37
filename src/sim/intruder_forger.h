#pragma once

#include "sim/intruder_voice.h"

namespace muster::sim {

// What is not an intruder's to say: bodies of every other office, with keys, revisions and numbers
// of what was really said, or just above.
class Forger {
 public:
  // `voice` outlives the object.
  explicit Forger(Voice& voice);

  void forge_pool_state();
  // That a Put was refused: by a view far ahead, and by a seal.
  void forge_view();
  // That a job is over.
  void forge_end();
  // The job's key, and another model.
  void forge_model();
  // Of leases that others hold: they go on, they have failed by the user's fault, they cannot.
  void forge_work();
  // Ready, and the leases of the whole epoch: others', and some it has signed for itself.
  void claim_leases();
  void forge_charges();
  // What only the two ends of a line say.
  void forge_lines();
  // For stores it is not, and of records it does not hold.
  void forge_stores();
  // What a coordinator or the server tells others to do.
  void forge_orders();

 private:
  void order_worker(const OverheardRun& run, pb::Envelope& envelope);
  void order_coordinator(const pb::JobKey& key, pb::Envelope& envelope);
  void ask_server_for(const pb::JobKey& key);

  Voice& voice_;
  World& world_;
  Node& node_;
  const Overheard& overheard_;
  Rng& rng_;
};

}  // namespace muster::sim
