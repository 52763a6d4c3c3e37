#pragma once

#include <map>
#include <set>
#include <string>

#include "base/digest.h"
#include "roles/feed_reader.h"
#include "roles/role.h"

namespace muster::roles::coordinator {

// What the stores of the view feed of one run, and which of them do not do their duty.
//
// Every member is read from its beginning, and asked for more as soon as it has answered. One that
// is at its end has time; one that says it has more is heard for as long as what it feeds is worth,
// so that a trickle is silence. What one member has, each has: it was put there, or copied within
// kWithheld and the turns that runs take. When one lacks what another feeds, one of the two
// withholds it, and it is not known which: whoever was in more such disputes is blamed, else the
// one that lacks it.
//
// Names of records are kept for the life of the run: 32 bytes each, and 8 for each member.
class Feeds {
 public:
  static constexpr Duration kPatience = seconds(8);
  static constexpr Duration kWithheld = seconds(60);
  static constexpr Duration kComparedWithin = seconds(20);  // One live run with one other store.

  // The members of the view. One that is new, or came back, is read from its beginning. The stores
  // compare live runs in turn: the more there are, the later it is known that one is withheld.
  void set_view(Instant now, const pb::View& view, int live_runs);
  // From here on they are asked; before, nobody was silent.
  void begin(Instant now);
  // Nobody was silent meanwhile: this process stood still, or the server through which they speak.
  void excuse(Instant now);

  // Whether the batch is the next one of this member; then its records are taken in one by one, and
  // the cursor has moved.
  [[nodiscard]] bool take_batch(Instant now, const std::string& member, const pb::Feed& feed);
  // Some member has fed this record, and it was genuine.
  [[nodiscard]] bool knows(const Digest& record) const { return known_.contains(record); }
  // The member fed a record that every store should hold, for the first time or again.
  void on_genuine(Instant now, const std::string& member, const Digest& record);
  // The member fed a record that an honest store may hold, and another honest one need not.
  void on_leftover(const std::string& member, const Digest& record);
  // The member fed what no honest store has.
  void on_nonsense(const std::string& member, const std::string& what);
  // Every member has said that it keeps this record.
  void on_acknowledged(Instant now, const Digest& record);
  // Nobody sees what machines say that they stored there.
  void blame(const std::string& member, const std::string& what);
  void blame_the_only(const std::string& what);  // Nothing, while there are two or more.

  // Appends what is due: a question to each member that has answered the one before.
  void send_due(Instant now, const pb::JobKey& key, uint64_t view, Effects& effects);
  // Members that do not do their duty, and what it is that they do.
  std::map<std::string, std::string> neglectful(Instant now);

  [[nodiscard]] bool empty() const { return readers_.empty(); }
  [[nodiscard]] size_t size() const { return readers_.size(); }
  [[nodiscard]] bool all_caught_up() const;
  // Whoever is to be named at once: it fed nonsense, and was not named for it yet.
  [[nodiscard]] bool has_news() const { return has_news_; }
  // Members now, and machines that were: what they can read of others' answers, they may have read.
  [[nodiscard]] bool was_member(const std::string& machine) const {
    return ever_.contains(machine);
  }

 private:
  struct Reader {
    std::string store_id;  // A cursor means nothing to another store.
    FeedReader feed;       // Since the view with which it came.
    Instant came{};
    Instant heard{};         // Until when what it fed is worth.
    size_t records = 0;      // That it fed; most of them were genuine.
    std::set<uint64_t> fed;  // Genuine ones, each once.
    std::string wrong;       // Why it is blamed; empty: it is not.
  };
  struct Incomplete {
    Instant since{};
    std::set<std::string> acknowledged_by;  // Who of them lacks it has dropped it.
  };
  [[nodiscard]] bool all_have(const Digest& record) const;
  Incomplete* note_incomplete(Instant now, const Digest& record);
  void look_for_withheld(Instant now);
  void settle_dispute(const std::string& lacks, const Digest& record);

  bool asking_ = false, has_news_ = false;
  std::map<std::string, Reader> readers_;
  std::set<std::string> ever_;
  std::set<Digest> known_;
  std::map<Digest, Incomplete> incomplete_;  // What some member has not fed yet.
  std::map<std::string, int> disputes_;
  Duration withheld_after_ = kWithheld;
};

}  // namespace muster::roles::coordinator
