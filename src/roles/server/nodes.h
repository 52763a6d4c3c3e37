#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "roles/role.h"

namespace muster::roles::server {

// Who is connected, when to look at whom, and who still has to hear what he is to be.
//
// What a node is told (PoolState) carries a revision, above those of every server before, and is
// repeated until the node has seen it, or a repeat of it: whatever is sent is how things are then.
// A node whose state has changed is stale until it is told at the end of the step. Any message is a
// sign of life; who gave none for kSilence is silent.
//
// Invariants: each node has one timer, at the first moment at which there is something to do about
// it, once it was told; coordinators() are the nodes with that flag, and
// leaving() those that have said so.
class Nodes {
 public:
  struct Node {
    pb::Hello hello;
    pb::Holder holder;
    Instant heard{};
    uint64_t order = 0;         // Of joining.
    std::string store_problem;  // Why its store cannot be written; empty: it can.

   private:
    friend class Nodes;
    Instant beat_due{}, state_due{}, timer{};
    uint64_t sent_revision = 0, seen = 0;  // Of its PoolState: the last news, the last it saw.
    uint64_t store_state = 0;              // Number of the last StoreState.
  };

  explicit Nodes(uint64_t pool_epoch) : revision_(pool_epoch << 32) {}

  // ---- Who is there.

  // On a new line. It is not there yet (checked).
  void join(Instant now, const std::string& machine, const pb::Hello& hello,
            const pb::Holder& holder = {});
  // The node as it was; none: it is not there.
  std::optional<Node> leave(const std::string& machine);
  [[nodiscard]] const std::map<std::string, Node>& all() const { return nodes_; }
  [[nodiscard]] bool contains(const std::string& machine) const { return nodes_.contains(machine); }
  [[nodiscard]] const Node* find(const std::string& machine) const;
  [[nodiscard]] const std::set<std::string>& coordinators() const { return coordinators_; }

  // ---- What is heard of them.

  // Whether it is a node.
  bool hear(Instant now, const std::string& machine);
  // What was not heard while this process stood still was not silence.
  void excuse(Instant now);
  void see(const std::string& machine, uint64_t revision);
  // It ends soon. Whether that is news.
  bool note_leaving(const std::string& machine);
  // Those who have said so.
  [[nodiscard]] const std::set<std::string>& leaving() const { return leaving_; }
  // Whether it is news: another problem, or none any more, and not said before what was heard last.
  bool note_store(const std::string& machine, const pb::StoreState& state);

  // ---- What they are told.

  void mark_stale(const std::string& machine) { stale_.insert(machine); }
  void mark_all_stale();
  // Each is to be told now. Some may have left.
  [[nodiscard]] std::set<std::string> take_stale() { return std::exchange(stale_, {}); }
  // Of whatever is repeated until it was seen: an older one came late.
  [[nodiscard]] uint64_t next_revision() { return ++revision_; }
  enum class Told { kNews, kAgain };
  void send_state(Instant now, const std::string& machine, pb::PoolState state, Told told,
                  Effects& effects);
  // How many have not seen the last news.
  [[nodiscard]] size_t unseen() const;

  // ---- When to look at whom.

  enum class Due { kIsSilent, kHasNotSeen };
  // Sends heartbeats to those whose time has come, up to the first about which there is more to do;
  // none: all were looked at. Whoever is named is to leave, or to be told again.
  std::optional<std::pair<std::string, Due>> watch(Instant now, Effects& effects);
  void wake(Effects& effects) const;

  // Looks at all of it (checked).
  void check() const;

 private:
  void set_timer(const std::string& machine, Node& node);
  [[nodiscard]] static Instant due_at(const Node& node);

  std::map<std::string, Node> nodes_;
  std::set<std::pair<Instant, std::string>> timers_;
  std::set<std::string> coordinators_, leaving_, stale_;
  uint64_t next_order_ = 1;
  uint64_t revision_;  // The last one told.
};

}  // namespace muster::roles::server
