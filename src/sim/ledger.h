#pragma once

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/digest.h"
#include "sim/world.h"

namespace muster::sim {

// A record that some store has held, opened once.
struct KnownRecord {
  Digest digest;
  pb::SignedRecord as_signed;
  std::string author;
  pb::Record record;
  uint64_t lease = 0;  // An answer's, hashed with whose it is; 0: it names none that can be.
  std::set<std::string> held_by;  // Machines that were told to be durable, per acknowledgement.
  bool acknowledged = false;
};

// What the outside of a pool can know of its promises: every view that was committed, every record
// that became durable somewhere, who said so, and thereby what is acknowledged. The checkers ask
// it.
class Ledger {
 public:
  void on_committed(const roles::Change& change);
  void on_stored(const roles::RecordChange& change);
  // A coordinator asks a machine for answers; counts if the server has assigned it the run.
  void on_grant(const Node& coordinator, const pb::Envelope& envelope);
  // Records that an intruder says, whether or not anybody keeps them.
  void on_records(const google::protobuf::RepeatedPtrField<pb::SignedRecord>& records);
  // The server goes on from an older database, or none: views are numbered anew after this one, and
  // nobody is held to what was acknowledged.
  void on_database_lost(const pb::View& view);
  // Takes in what a store says it has, and returns the records that are acknowledged by it.
  std::vector<KnownRecord*> on_put_done(const Node& store, const pb::PutDone& done);

  [[nodiscard]] const pb::View& view() const { return view_; }
  KnownRecord* find(const Digest& digest);
  // The same, without hashing it when it is just what was learnt under its signature.
  KnownRecord* find(const pb::SignedRecord& record);
  // Whether its author was asked for this answer, under the lease that it names.
  [[nodiscard]] bool was_asked(const KnownRecord& answer) const;
  // Whether the server had assigned the run to this machine under that epoch.
  [[nodiscard]] bool was_assigned(const pb::Record& record, const std::string& machine) const;
  // An answer that was asked for, or what was written by whoever had the run.
  [[nodiscard]] bool is_genuine(const KnownRecord& known) const;
  // Whether it was done under an assignment that a server's database has, if another was lost.
  bool is_of_this_database(const Digest& digest, const std::map<std::string, pb::JobRow>& rows);
  // Whether somebody may be shown what a run's machines answered: who had the run, under whatever
  // epoch, or was of any view.
  [[nodiscard]] bool may_be_shown(const std::string& job, uint32_t run,
                                  const std::string& machine) const;
  // In the order in which they were acknowledged.
  [[nodiscard]] const std::vector<KnownRecord*>& acknowledged() const { return acknowledged_; }

 private:
  struct DigestHash {
    size_t operator()(const Digest& digest) const {
      return static_cast<size_t>(digest.bytes[0]) | static_cast<size_t>(digest.bytes[1]) << 8 |
             static_cast<size_t>(digest.bytes[2]) << 16 |
             static_cast<size_t>(digest.bytes[3]) << 24;
    }
  };
  void note_view(const pb::View& view);
  void learn(const Digest& digest, const pb::SignedRecord& signed_record);
  bool database_lost_ = false;
  pb::View view_;                                             // The last one committed.
  std::map<uint64_t, std::set<std::string>> stores_of_view_;  // Members and joiners.
  std::unordered_map<Digest, KnownRecord, DigestHash> records_;
  std::unordered_map<uint64_t, KnownRecord*> by_signature_;  // Hashed; the first that had it.
  std::map<std::pair<uint64_t, Digest>, std::set<std::string>> said_;  // By view number.
  std::vector<KnownRecord*> acknowledged_;
  std::set<std::tuple<std::string, uint32_t, uint64_t, std::string>> assigned_;
  std::set<std::string> stores_;        // Of any view.
  std::unordered_set<uint64_t> asked_;  // Hashes of {lease, machine, item}.
};

}  // namespace muster::sim
