#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "roles/record.h"
#include "roles/role.h"

namespace muster::roles {

// Records on their way to the storage view. A record is acknowledged once every member and joiner
// of one view has said, under that view's number, that it is on disk. Until then it is repeated;
// when the view changes, to all of the new one.
class Outbox {
 public:
  // Puts a record in; `tag` comes back when it is acknowledged.
  void add(const pb::SignedRecord& record, uint64_t tag);
  // A newer view; an older or equal one changes nothing. What waits is due at once.
  void set_view(const pb::View& view);
  // Takes in an acknowledgement and returns the tags of the records that it completed.
  std::vector<uint64_t> acknowledge(const std::string& machine, const pb::PutDone& done);
  // Appends the Puts that are due to `effects`, and when to come back.
  void send_due(Instant now, Effects& effects);
  // Forgets a record by one of its tags: nobody wants it any more.
  void drop(uint64_t tag);

  [[nodiscard]] size_t size() const { return waiting_.size(); }
  [[nodiscard]] const pb::View& view() const { return view_; }

 private:
  struct Waiting {
    pb::SignedRecord record;
    std::set<std::string> acknowledged;  // Under view_.number().
    std::set<uint64_t> tags;
    Instant due{};
  };
  void send_to(const std::string& machine, Instant now, Effects& effects);

  pb::View view_;
  std::vector<std::string> targets_;  // Machines of members and joiners.
  std::map<Digest, Waiting> waiting_;
  Instant next_due_{};  // Before it nothing is sent.
};

}  // namespace muster::roles
