#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "roles/server/loans.h"
#include "roles/server/nodes.h"
#include "roles/server/pending.h"
#include "roles/server/standings.h"

namespace muster::roles::server {

// Which stores count: members are read and acknowledge, joiners acknowledge and copy. Kept at so
// many as are wanted, changed in numbered steps; each is committed before anybody hears of it, and
// one whose outcome is unknown is written until it is there: nothing else may take its number.
//
// Whoever is down, has another store than it had, cannot be written or has not done its duty
// leaves; who has just gone is waited for. Places are filled one joiner at a time: by an idle
// machine, or by a lent one that is to work off its leases first (retiring), and by whoever is
// there when there is no store at all. A joiner that does not copy makes room for another.
//
// A member that is leaving makes room once so many as are wanted besides it hold a copy.
//
// Looks at nodes, loans and standings, which outlive it, and notes in the latter who lapses.
//
// Invariants: members and joiners are each listed once, and never more of both than are wanted,
// besides those that are leaving, or have come back since; one change is being written at a time.
class StorageView {
 public:
  static constexpr Duration kCopyWait = seconds(60);  // Longer each time it was in vain.
  static constexpr Duration kSearchEvery = seconds(1);
  static constexpr Duration kIdleWait = seconds(5);  // For an idle machine, before one that works.

  struct Pool {
    const Nodes& nodes;
    const Loans& loans;
    Standings& standings;
  };
  // As it was written by a server before. Until `keep_from` nobody is missed, nor chosen.
  StorageView(pb::View view, uint32_t wanted, Instant keep_from, Pool pool, WriteIds& ids)
      : pool_(pool),
        wanted_(wanted),
        keep_from_(keep_from),
        view_(std::move(view)),
        pending_(ids) {}

  [[nodiscard]] const pb::View& view() const { return view_; }
  [[nodiscard]] bool contains(const std::string& machine) const;
  [[nodiscard]] std::vector<std::string> machines() const;  // Members, then joiners.
  // "storage" or "joining storage", for a person; empty: neither.
  [[nodiscard]] std::string describe(const std::string& machine) const;
  // Nothing is gained by its staying: it is not listed, or nobody is there who could take its
  // place.
  [[nodiscard]] bool may_leave(Instant now, const std::string& machine) const;
  // The machine that gets no more leases, to become a store then; empty: none.
  [[nodiscard]] const std::string& retiring() const { return retiring_; }

  // ---- What is heard.

  // Somebody may be free, or there, who was not before. Without this whoever could become a store
  // is looked for every kSearchEvery alone: it means to look at every machine there is.
  void note_change() { search_from_ = {}; }
  void note_back(const std::string& machine) { gone_since_.erase(machine); }
  // Its line is gone, it was heard last at that moment, and it may be back soon.
  void note_gone(const std::string& machine, Instant heard);
  // What was not heard while this process stood still was not silence.
  void excuse(Instant now);
  // The joiner holds what the members of this view had.
  void on_caught_up(Instant now, const std::string& machine, const pb::CaughtUp& copied,
                    Effects& effects);
  // The joiner says that it can copy nothing from the member. One's word may be as wrong as the
  // member: when a second one says the same, it is the member.
  void on_silent_source(Instant now, const std::string& joiner, const std::string& member,
                        Effects& effects);

  // ---- What is done.

  // Changes what has to be changed. Returns the machine that is to retire from now on, if any: its
  // job's coordinator is to be told.
  [[nodiscard]] std::string keep(Instant now, Effects& effects);
  enum class Written { kNotAView, kNotYet, kNewView };
  [[nodiscard]] Written settle(Instant now, const Stored& stored, Effects& effects);
  [[nodiscard]] size_t writing() const { return pending_.size(); }

  // Looks at all of it (checked).
  void check() const;

 private:
  enum class Among { kIdle, kLent };
  [[nodiscard]] bool is_joining(const std::string& machine) const;
  [[nodiscard]] bool is_there(Instant now, const pb::Member& member) const;
  [[nodiscard]] pb::View still_there(Instant now, std::string& lost) const;
  [[nodiscard]] bool may_store(const std::string& machine, const Nodes::Node& node) const;
  [[nodiscard]] std::string best(Instant now, Among among, bool even_lapsed = false) const;
  [[nodiscard]] std::string choose(Instant now, bool has_none) const;
  [[nodiscard]] bool is_leaving(const std::string& machine) const;
  [[nodiscard]] std::string one_to_let_go(const pb::View& next) const;
  bool may_change(Instant now, Effects& effects);
  std::string retire_one(Instant now, Effects& effects);
  void watch_joiner(Instant now, Effects& effects);
  void write(pb::View view, Effects& effects);

  Pool pool_;
  uint32_t wanted_;
  Instant keep_from_;
  pb::View view_;  // As committed.
  Pending<pb::View> pending_;
  Instant due_{};                              // Of the next change, after one that failed.
  Instant search_from_{};                      // For another store, after one in vain.
  std::map<std::string, Instant> gone_since_;  // Members not there: when they were last heard.
  std::optional<Instant> short_since_;         // Of a store, and no machine is idle.
  std::string retiring_;
  std::optional<Instant> joining_since_;  // The joiner of view_.
  // Joiners that a member let copy nothing, since one last could.
  std::map<std::string, std::set<std::string>> not_served_;
};

}  // namespace muster::roles::server
