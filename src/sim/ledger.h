#pragma once

#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/digest.h"
#include "sim/world.h"

namespace muster::sim {

// A record that some store has held, opened once.
struct KnownRecord {
  Digest digest;
  std::string author;
  pb::Record record;
  std::set<std::string> held_by;  // Machines that were told to be durable, per acknowledgement.
  bool acknowledged = false;
};

// What the outside of a pool can know of its promises: every view that was committed, every record
// that became durable somewhere, who said so, and thereby what is acknowledged. The checkers ask
// it.
class Ledger {
 public:
  void on_applied(const Node& node, const roles::Write& write);
  // Takes in what a store says it has, and returns the records that are acknowledged by it.
  std::vector<KnownRecord*> on_put_done(const Node& store, const pb::PutDone& done);

  [[nodiscard]] const pb::View& view() const { return view_; }
  KnownRecord* find(const Digest& digest);
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
  pb::View view_;                                             // The last one committed.
  std::map<uint64_t, std::set<std::string>> stores_of_view_;  // Members and joiners.
  std::unordered_map<Digest, KnownRecord, DigestHash> records_;
  std::map<std::pair<uint64_t, Digest>, std::set<std::string>> said_;  // By view number.
  std::vector<KnownRecord*> acknowledged_;
};

}  // namespace muster::sim
