#pragma once

#include <functional>
#include <vector>

#include "sim/acts.h"
#include "sim/intruder_answers.h"
#include "sim/intruder_babbler.h"
#include "sim/intruder_feeds.h"
#include "sim/intruder_forger.h"
#include "sim/intruder_silence.h"
#include "sim/intruder_voice.h"
#include "sim/intruder_words.h"
#include "sim/world.h"

namespace muster::sim {

// An admitted machine that means harm. Its process runs the honest roles as well; this sits between
// them and the line, says more than they do, and keeps back what they owe. It has heard everything
// that was said in the pool.
//
// A list of acts; each is a method of one of its parts, done again and again from the moment it has
// a line until rest(). Silence in a duty has no end.
class Intruder final : public Insider {
 public:
  // All outlive the object. `acts` is not empty.
  // `careful`: it says only what the server's end of its line lets pass, so that nobody tells on
  // it.
  Intruder(World& world, Node& node, const Overheard& overheard, std::vector<Act> acts,
           bool careful, Rng rng);

  void begin();
  // Says nothing more that it does not owe.
  void rest();

  bool hears(const pb::Envelope& envelope) override;
  bool may_say(pb::Envelope& envelope) override;

 private:
  struct Habit {
    Act act;
    std::function<void()> deed;
    Duration every;
  };
  [[nodiscard]] std::vector<Habit> all_habits();
  void repeat(const Habit& habit);

  World& world_;
  Node& node_;
  Voice voice_;
  OwnLeases leases_;
  FalseFeeds feeds_;
  UnaskedAnswers answers_;
  Forger forger_;
  Babbler babbler_;
  EndlessWords words_;
  Silence silence_;
  std::vector<Habit> habits_;
  bool resting_ = false;
};

}  // namespace muster::sim
