#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "roles/role.h"
#include "roles/server/write_ids.h"

namespace muster::roles::server {

// What is held against each machine, whether it is there or not: that it was outvoted, that it said
// what it may not, that it did not do its duty as a store.
//
// A charge is written into the machine's row, and answered when it is there. It is a strike, unless
// the machine had agreed with others on kForgivenBy items since the one before; so many strikes are
// quarantine: no vote of the machine counts, and it is lent no more, until it is pardoned. Whoever
// says what he may not, as this server saw itself, is quarantined as soon as it is too much
// (banished), before a row says so, and does not store either; that is written until it is there,
// so that a restart forgives nobody. What others say of a machine is
// counted, and held against nobody. A store that lapses is out of the view for a while, twice as
// long each further time; that is not written.
//
// Bounds: kMostCharges of a machine; kMostWaiting charges of one whose row is on its way, what
// finds no room is reported again by whoever reported it.
//
// Invariants: one change of a machine's row is written at a time; replies and charges wait only
// while it is.
class Standings {
 public:
  static constexpr uint64_t kForgivenBy = 200;
  static constexpr int kMostCharges = 20;
  static constexpr size_t kMostWaiting = 20;
  static constexpr size_t kMostRefusals = 10;  // In kRefusalWindow: more are too much.
  static constexpr Duration kRefusalWindow = seconds(60);

  // `quarantine_after` strikes; 0: never.
  Standings(uint32_t quarantine_after, WriteIds& ids)
      : quarantine_after_(quarantine_after), ids_(ids) {}
  // As it was written by a server before.
  void restore(pb::MachineRow row);

  // ---- How a machine behaves.

  // It said what it may not, so many times. In the row now and then.
  void note_refusal(Instant now, const std::string& machine, const std::string& what,
                    uint32_t times, Effects& effects);
  // Seen by this server itself: whether that is too much. If so it counts from the beginning.
  [[nodiscard]] bool is_too_much(Instant now, const std::string& machine, uint32_t times);
  void banish(const std::string& machine, const std::string& what, Effects& effects);
  // It does not acknowledge, feed or copy. While it is out of the view for that, nothing changes.
  void note_lapse(Instant now, const std::string& machine, const std::string& what,
                  Effects& effects);
  // Its store cannot be written. The first time it comes back as soon as it can.
  void note_store_problem(Instant now, const std::string& machine, const std::string& problem);
  // Nor is it worse than no store at all.
  void end_lapse(Instant now, const std::string& machine);

  // ---- What its answers are worth.

  // The charge is to be written: it is not in the row, and none is on its way.
  [[nodiscard]] bool is_news(const pb::Charge& charge) const;
  // Answers the coordinator `from` once the charge is in the machine's row.
  void add_charge(const std::string& from, const pb::ReportCharge& report, Effects& effects);
  // Not precious: what is lost here, the machine earns again.
  void add_tallies(const std::vector<pb::Tally>& tallies, Effects& effects);
  // Answers the client, once it is written, or cannot be, or at once. Of what was seen until then.
  void pardon(const std::string& client, const pb::Pardon& pardon, Effects& effects);
  // The same of one that is to be here no more, or only until it holds nothing. `now_ms`: Unix
  // time.
  void remove(const std::string& client, const std::string& machine, int64_t now_ms,
              Effects& effects);
  void drain(const std::string& client, const std::string& machine, int64_t now_ms,
             Effects& effects);
  // One that was drained holds nothing: it is removed, unless its row is on its way.
  void end_drain(Instant now, const std::string& machine, int64_t now_ms, Effects& effects);

  // ---- A row was written, or not.

  struct Settled {
    std::string machine;
    bool is_quarantined = false, is_drained = false, is_removed = false;  // By this.
    bool is_pardoned = false;
    std::vector<std::pair<std::string, pb::ReportCharge>> waited;  // To be looked at again.
  };
  // None: it was no row of a machine. What could not be written is asked for again by whoever
  // asked, and its outcome may be unknown: the next row says all again.
  std::optional<Settled> settle(Instant now, const Stored& stored, Effects& effects);
  // Writes who is banished and not yet so by his row; wakes for what could not be written.
  void keep(Instant now, Effects& effects);
  [[nodiscard]] size_t writing() const { return writes_.size(); }

  // ---- How things stand.

  [[nodiscard]] bool is_quarantined(const std::string& machine) const;
  [[nodiscard]] bool is_banished(const std::string& machine) const;
  // They are to be removed once they hold nothing.
  [[nodiscard]] const std::set<std::string>& draining() const { return draining_; }
  // kPermission, in words: it is let in no more.
  [[nodiscard]] Status may_be_here(const std::string& machine) const;
  // It is not to be in the view now.
  [[nodiscard]] bool has_lapsed(Instant now, const std::string& machine) const;
  // The same, for a duty of its own: one who is banished has not lapsed by that.
  [[nodiscard]] bool is_out(Instant now, const std::string& machine) const;
  [[nodiscard]] int lapses(const std::string& machine) const;       // Since this server started.
  [[nodiscard]] uint64_t agreed(const std::string& machine) const;  // Items in a row.
  // As rows say, in order of name.
  [[nodiscard]] std::vector<std::string> quarantined(size_t most) const;
  [[nodiscard]] std::vector<std::string> named(const std::string& prefix) const;
  [[nodiscard]] std::vector<std::string> all() const;

  // ---- In words, for a person.

  // Appended to how a machine is: why it is lent no more, and how it was as a store.
  [[nodiscard]] std::string explain(const std::string& machine) const;
  [[nodiscard]] std::string explain_refusals(const std::string& machine) const;
  void describe(pb::Machine& machine) const;

  // Looks at all of it (checked).
  void check() const;

 private:
  struct Reply {
    pb::Envelope when_done;
    pb::Envelope otherwise;  // `to` unset: nothing.
  };
  struct Standing {
    pb::MachineRow row;                                             // As committed.
    std::optional<WriteId> write;                                   // Of the next row.
    std::vector<Reply> replies;                                     // To whom asked for that.
    std::vector<std::pair<std::string, pb::ReportCharge>> waiting;  // Until it is written, or not.
    uint64_t refused = 0;                                           // Messages of it.
    std::string refusal;                                            // The last of them.
    Instant note_due{};                  // Before it that is not written.
    std::deque<Instant> refused_at;      // What this server saw itself, within a minute.
    bool banished = false;               // For these; as the row, but at once.
    int lapses = 0, store_problems = 0;  // Since this server started.
    Instant lapsed_until{};
    std::string lapse;
  };
  Standing& standing_of(const std::string& machine);
  [[nodiscard]] const Standing* find(const std::string& machine) const;
  void write(Standing& standing, pb::MachineRow row, Effects& effects);
  void write_banished(Standing& standing, Effects& effects);
  void ask_for(const std::string& client, pb::MachineRow row, Effects& effects);
  void note_row(const pb::MachineRow& row);
  static void forgive(Standing& standing);

  uint32_t quarantine_after_;
  WriteIds& ids_;
  std::map<std::string, Standing> standings_;  // By machine: those of which anything is known.
  std::map<WriteId, pb::MachineRow> writes_;
  std::set<std::string> to_banish_;     // Whose rows do not say it yet.
  std::set<std::string> draining_;      // Whose rows say so, and not that they are removed.
  Instant banish_due_{}, drain_due_{};  // After a row that could not be written.
};

}  // namespace muster::roles::server
