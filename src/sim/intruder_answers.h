#pragma once

#include <set>
#include <string>
#include <vector>

#include "sim/intruder_voice.h"

namespace muster::sim {

// Answers that nobody asked for: to every item, again and again, others' signed anew; and whole
// envelopes that others said, from its own mouth.
class UnaskedAnswers {
 public:
  // Both outlive the object.
  UnaskedAnswers(Voice& voice, const OwnLeases& leases);

  // To every item before anybody else. Once under each epoch and view, and again after a while.
  void answer_unasked();
  // What others said, to whom it was said and to anybody.
  void replay();
  // Under the terms that it has: each answer is signed, and was asked for.
  void answer_again();
  // Asks stores for what others answered, as a store does and as the coordinator that has the run.
  void ask_for_answers();
  // Answers, others' and its own, signed anew by itself: as they are, and for another item, run,
  // epoch and lease.
  void copy_answers();

 private:
  void answer_all(const OverheardRun& run);
  void alter_answer(pb::Record& record);

  Voice& voice_;
  const OwnLeases& leases_;
  Node& node_;
  const Overheard& overheard_;
  Rng& rng_;
  std::set<std::string> answered_;  // Unasked, each once in a while.
};

}  // namespace muster::sim
