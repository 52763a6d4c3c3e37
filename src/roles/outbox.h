#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "roles/role.h"

namespace muster::roles {

// Records on their way to the storage view. A record is acknowledged once every member and joiner
// of one view has said, under that view's number, that it is on disk. Until then it is repeated;
// when the view changes, to all of the new one.
//
// Each store has a window: kWindowBytes at most are on their way to it, in the order in which the
// records came; what it acknowledges makes room for the next. So a store that is slow, or silent,
// costs itself time and nobody else, and no line gets more at once than it carries in a moment.
class Outbox {
 public:
  static constexpr size_t kWindowBytes = 256u << 10;
  // A store that has acknowledged nothing of what it was sent for so long does not do its duty; nor
  // does one that has owed the same record for kLongest, whatever else it says.
  static constexpr Duration kPatience = seconds(8), kLongest = seconds(10);

  // Puts a record in; `tag` comes back when it is acknowledged.
  void add(const pb::SignedRecord& record, uint64_t tag);
  // The view as the server says it is; the same one changes nothing. What waits is due at once.
  void set_view(const pb::View& view);
  // Takes in an acknowledgement and returns the tags of the records that it completed.
  std::vector<uint64_t> acknowledge(Instant now, const std::string& machine,
                                    const pb::PutDone& done);
  // The store has answered, though not with an acknowledgement: it is there, for now.
  void on_answer(Instant now, const std::string& machine);
  // This process stood still: nobody has been silent meanwhile.
  void on_resumed(Instant now);
  // Appends to `effects` the Puts that are due, when to come back, and how long records took that
  // were acknowledged since.
  void send_due(Instant now, Effects& effects);
  // Forgets a record by one of its tags: nobody wants it any more.
  void drop(uint64_t tag);

  // Stores that have been silent for kPatience while something was on its way to them, or have had
  // it on its way for kLongest.
  [[nodiscard]] std::vector<std::string> silent(Instant now) const;
  [[nodiscard]] size_t size() const { return waiting_.size(); }
  [[nodiscard]] const pb::View& view() const { return view_; }

 private:
  struct Waiting {
    pb::SignedRecord record;
    size_t bytes = 0;
    uint64_t order = 0;
    std::set<std::string> acknowledged;  // Under view_.number().
    std::set<uint64_t> tags;
    std::optional<Instant> sent;  // First, to any store.
  };
  struct Sent {
    Instant first{}, due{};  // When it was sent; when to send it again.
  };
  struct Target {
    std::map<uint64_t, Sent> sent;  // By order. Not acknowledged yet.
    size_t bytes = 0;               // Of those.
    uint64_t next = 0;              // What comes before this order was sent.
    Instant due{};                  // The earliest of `sent`.
    Instant heard{};  // The last sign of life, or when something was sent after nothing had been.
  };
  void send_to(const std::string& machine, Target& target, Instant now, Effects& effects);
  void forget_sent(Target& target, const Waiting& waiting);

  pb::View view_;
  std::map<std::string, Target> targets_;  // Machines of members and joiners.
  std::map<Digest, Waiting> waiting_;
  std::map<uint64_t, Digest> order_;  // Of waiting_, as they came.
  uint64_t next_order_ = 1;
  std::vector<Duration> took_;  // Of those acknowledged since send_due() was last called.
};

}  // namespace muster::roles
