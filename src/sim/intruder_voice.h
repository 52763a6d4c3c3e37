#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/acts.h"
#include "sim/overheard.h"
#include "sim/world.h"

namespace muster::sim {

// How an intruder speaks: under which office, to whom, with which keys. It has heard everything
// that was said in the pool, but signs with its own key and with keys that it makes up.
//
// Whatever an intruder draws comes from the one stream that is here.
class Voice {
 public:
  // World, node and what was overheard outlive the object.
  // `careful`: it says only what the server's end of its line lets pass, so that nobody tells on
  // it.
  Voice(World& world, Node& node, const Overheard& overheard, std::vector<Act> acts, bool careful,
        Rng rng);

  World& world() { return world_; }
  Node& node() { return node_; }
  Rng& rng() { return rng_; }
  [[nodiscard]] const Overheard& overheard() const { return overheard_; }
  // One of the runs that go on; null: none was heard of.
  const OverheardRun* some_run() { return overheard_.some_run(rng_); }
  [[nodiscard]] bool does(Act act) const;
  [[nodiscard]] bool has_line() const { return node_.line.session != 0; }

  // Nothing is said without a line.
  void say(pb::Role as, pb::Role to_role, const std::string& to, pb::Envelope envelope);
  void say_to_server(pb::Envelope envelope);
  // Each gets an envelope of its own: `fill` may draw.
  void say_to_stores(const std::function<void(pb::Envelope&)>& fill);
  // Unspecified: whatever they are.
  void say_to_all(pb::Role role, const std::function<void(pb::Envelope&)>& fill);
  // To every store of the view, itself too.
  void put(pb::Role as, const std::vector<pb::SignedRecord>& records);
  // What the honest role was about to say, as it is now, a little later.
  void say_later(Duration delay, const pb::Envelope& envelope);

  [[nodiscard]] const Node& anybody();
  [[nodiscard]] HashKeys made_up_keys();
  // From 0, another each time: for what is done in turn, and for numbers that rise.
  size_t next_turn() { return turn_++; }

 private:
  [[nodiscard]] bool passes(pb::Envelope& envelope) const;

  World& world_;
  Node& node_;
  const Overheard& overheard_;
  std::vector<Act> acts_;
  Rng rng_;
  bool careful_;
  uint64_t made_up_ = 0;
  size_t turn_ = 0;
};

// The leases that the intruder's machine was granted, the latest ones, whether or not they were
// taken away since.
class OwnLeases {
 public:
  struct Lease {
    std::string coordinator;  // Machine.
    pb::Grant grant;
  };
  void note(const pb::Envelope& envelope);
  [[nodiscard]] const std::vector<Lease>& all() const { return leases_; }

 private:
  std::vector<Lease> leases_;
};

}  // namespace muster::sim
