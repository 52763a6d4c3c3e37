#pragma once

#include "sim/intruder_voice.h"

namespace muster::sim {

// Words without end: what is well-formed but for its size.
class EndlessWords {
 public:
  // Both outlive the object.
  EndlessWords(Voice& voice, const OwnLeases& leases);

  void say_long_words();
  void say_many_entries();
  // More than the line of one machine takes.
  void flood();

 private:
  Voice& voice_;
  const OwnLeases& leases_;
  Node& node_;
  const Overheard& overheard_;
  Rng& rng_;
};

}  // namespace muster::sim
