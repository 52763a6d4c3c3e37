#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "roles/coordinator/feeds.h"
#include "roles/grants.h"
#include "roles/outbox.h"
#include "wire/keys.h"
#include "wire/record.h"

namespace muster::roles::coordinator {

// The records of a run, at the storage view: what this coordinator puts there, what it reads there,
// and which stores do not do their duty by it.
//
// The run is sealed first: from then on no coordinator of a lower epoch gets anything acknowledged.
// What the stores feed counts if somebody answers for it who had the run: answers with the terms
// that asked for them, and whatever no honest store would keep is held against the one that feeds
// it. Stores that acknowledge or feed nothing, or feed what nobody signed, are named to the server,
// unless it is the server that has not been heard: all that stores say comes through it.
class Journal {
 public:
  // `keys` outlives the object.
  Journal(pb::JobKey key, const Keys& keys) : key_(std::move(key)), keys_(keys) {}

  void set_view(Instant now, const pb::PoolState& state);
  // `life` tells this coordinator's seal from that of another under the same epoch.
  void seal(uint64_t life);
  void begin_reading(Instant now) { feeds_.begin(now); }
  // The record of a settled item, under this epoch.
  void write(const pb::Settled& settled);

  struct Acknowledged {
    bool seal = false;
    std::vector<uint32_t> items;
  };
  // What is kept by all stores since this acknowledgement.
  Acknowledged acknowledge(Instant now, const std::string& store, const pb::PutDone& done);
  // The store has answered, though it refused.
  void on_refused(Instant now, const std::string& store) { outbox_.on_answer(now, store); }

  // Whether the batch is the next one of its store; then each of its records is to be taken.
  [[nodiscard]] bool take_batch(Instant now, const std::string& store, const pb::Feed& feed);
  struct Taken {
    OpenedRecord record;
    std::string owner;  // Of the machine that answers, when it was asked.
  };
  // Nothing: it is known already, or does not count.
  std::optional<Taken> take(Instant now, const std::string& store, const pb::SignedRecord& record,
                            const Assignments& assignments, Grants& grants);
  // Somebody has sealed the run over this coordinator, and may have had it.
  [[nodiscard]] std::optional<uint64_t> sealed_over(const pb::SignedRecord& seal,
                                                    const Assignments& assignments) const;

  void on_server_heard(Instant now);
  // This process stood still: nobody was silent meanwhile.
  void on_resumed(Instant now);

  // Append what is due: questions for more; records; names of stores that do not do their duty.
  void ask_due(Instant now, Effects& effects);
  void put_due(Instant now, Effects& effects) { outbox_.send_due(now, effects); }
  void name_silent(Instant now, Effects& effects);

  // Nobody sees what machines say that they stored there.
  void blame_the_only(const std::string& what) { feeds_.blame_the_only(what); }

  [[nodiscard]] bool has_stores() const { return !feeds_.empty(); }
  [[nodiscard]] bool all_read() const { return !feeds_.empty() && feeds_.all_caught_up(); }
  // The machine is a store of the view, or was: what it can read of others it may have read.
  [[nodiscard]] bool was_store(const std::string& machine) const {
    return feeds_.was_member(machine);
  }

 private:
  void hurry_if_there_is_news();

  pb::JobKey key_;
  const Keys& keys_;
  Outbox outbox_;  // Tag = item index for settled records; kSealTag.
  Feeds feeds_;
  std::set<std::string> coordinators_;  // Of the pool.
  Digest seal_;                         // This epoch's.
  Instant server_heard_{}, silent_due_{};
};

}  // namespace muster::roles::coordinator
