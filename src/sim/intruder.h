#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/acts.h"
#include "sim/overheard.h"
#include "sim/scribbler.h"
#include "sim/world.h"

namespace muster::sim {

// An admitted machine that means harm. Its process runs the honest roles as well; this sits between
// them and the line, says more than they do, and keeps back what they owe. It has heard everything
// that was said in the pool, but signs with its own key and with keys that it makes up.
//
// A list of acts; each is a function with a name, done again and again from the moment it has a
// line until rest(). Silence in a duty has no end.
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
  using Deed = void (Intruder::*)();
  struct Habit {
    Act act;
    Deed deed;
    Duration every;
  };
  static const std::vector<Habit>& habits();
  void repeat(const Habit& habit);
  [[nodiscard]] bool does(Act act) const;

  // intruder.cc: how it speaks.
  void say(pb::Role as, pb::Role to_role, const std::string& to, pb::Envelope envelope);
  void say_to_server(pb::Envelope envelope);
  void say_to_stores(const std::function<void(pb::Envelope&)>& fill);
  void say_to_all(pb::Role role, const std::function<void(pb::Envelope&)>& fill);
  [[nodiscard]] bool passes(pb::Envelope& envelope) const;
  [[nodiscard]] const Node& anybody();
  [[nodiscard]] HashKeys made_up_keys();

  // intruder_votes.cc: records.
  bool keeps_reader(const pb::Envelope& envelope);
  void answer_readers();
  void push_feeds();
  void answer_unasked();
  void replay();
  void copy_answers();
  void ask_for_answers();
  void answer_again();
  void put(pb::Role as, const std::vector<pb::SignedRecord>& records);
  [[nodiscard]] pb::Record wrong_answer(const OverheardRun& run,
                                        const pb::ItemRequests& item) const;
  [[nodiscard]] pb::SignedRecord terms_of_its_own(const pb::Record& record, const HashKeys& keys,
                                                  const std::string& owner);
  void answer_all(const OverheardRun& run);
  [[nodiscard]] std::vector<pb::SignedRecord> invented(const OverheardRun& run);

  // intruder_bodies.cc: what is not its to say.
  void forge_pool_state();
  void forge_view();
  void forge_end();
  void forge_model();
  void forge_work();
  void claim_leases();
  void forge_charges();
  void forge_lines();
  void forge_stores();
  void forge_orders();
  void say_anything();
  void mutate();
  void malform();

  // intruder_words.cc: too much of everything.
  void say_long_words();
  void say_many_entries();
  void flood();

  // intruder_silence.cc: too little.
  bool keeps_back(const pb::Envelope& envelope);
  bool spoils_feed(pb::Envelope& envelope);
  bool spoils_acknowledgement(pb::Envelope& envelope);
  void withhold_answers(pb::Feed& feed) const;
  void say_progress();
  void be_ready_at_once(const pb::Prepare& prepare, const std::string& coordinator);

  World& world_;
  Node& node_;
  const Overheard& overheard_;
  std::vector<Act> acts_;
  Rng rng_;
  Scribbler scribbler_;
  bool careful_, resting_ = false;
  std::map<std::string, pb::Envelope> readers_;  // Who waits for a feed, by whom and what.
  std::map<std::string, size_t> fed_;            // How much of what is invented each has.
  std::set<std::string> answered_;               // Unasked, each once in a while.
  std::vector<std::pair<std::string, pb::Grant>> leases_;  // Its own: {coordinator, grant}.
  std::map<std::string, Instant> dripped_;                 // When each writer last had a drop.
  uint64_t made_up_ = 0;
  size_t turn_ = 0;
};

}  // namespace muster::sim
