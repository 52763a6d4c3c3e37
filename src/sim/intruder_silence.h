#pragma once

#include <map>
#include <string>

#include "sim/intruder_voice.h"

namespace muster::sim {

// What an intruder owes and does not say: its honest roles would. It has no end, unlike other acts.
class Silence {
 public:
  // Both outlive the object.
  Silence(Voice& voice, const OwnLeases& leases);

  // Of what the roles are about to say. Each may alter it; true: it is not said.
  [[nodiscard]] bool keeps_back(const pb::Envelope& envelope);
  bool spoils_acknowledgement(pb::Envelope& envelope);
  // What it keeps back here is said, spoiled, a little later.
  bool spoils_feed(pb::Envelope& envelope);

  // What arrives. True: the roles do not hear it, the intruder answers.
  bool keeps_prepare(const pb::Envelope& envelope);
  // Of every lease it ever got, whether or not it was taken away.
  void say_progress();

 private:
  void withhold_answers(pb::Feed& feed) const;
  void fill_with_nonsense(pb::Feed& feed);
  void be_ready_at_once(const pb::Prepare& prepare, const std::string& coordinator);

  Voice& voice_;
  const OwnLeases& leases_;
  World& world_;
  Node& node_;
  Rng& rng_;
  std::map<std::string, Instant> dripped_;  // When each writer last had a drop.
};

}  // namespace muster::sim
