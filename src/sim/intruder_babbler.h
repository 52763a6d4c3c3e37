#pragma once

#include "sim/intruder_voice.h"
#include "sim/scribbler.h"

namespace muster::sim {

// What makes no sense: bodies filled at random, what was said with something altered, names of
// records that are none.
class Babbler {
 public:
  // `voice` outlives the object. `rng` fills and alters; what is said of it and to whom is drawn
  // like everything else.
  Babbler(Voice& voice, Rng rng);

  // Each body at least once, in turn, to each office.
  void say_anything();
  // What was said, altered, to whom it was said or to anybody.
  void mutate();
  // A digest of one byte, wherever there is one.
  void malform();

 private:
  Voice& voice_;
  Node& node_;
  const Overheard& overheard_;
  Rng& rng_;
  Scribbler scribbler_;
};

}  // namespace muster::sim
