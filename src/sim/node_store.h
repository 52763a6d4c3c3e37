#pragma once

#include <functional>
#include <string>

#include "host/ports.h"
#include "sim/world.h"

namespace muster::sim {

// The disk of a node, and the server's database. Applies a write after half the disk's latency and
// tells of it after the other half: a crash may come before, between, or after. It does one thing
// after the other, and what ails the disk is in the node's DiskTraits.
class NodeStore final : public host::Database, public host::Records {
 public:
  // `world` and `node` outlive the object.
  NodeStore(World& world, Node& node);

  void commit(pb::Role owner, roles::Commit commit) override;
  void find(pb::Role owner, const roles::FindJobs& find) override;
  void write(pb::Role owner, roles::RecordWrite write) override;
  void read(pb::Role owner, const roles::ReadRecords& read) override;
  void read_digests(pb::Role owner, const roles::ReadDigests& read) override;

 private:
  struct WriteState {
    pb::Role owner;
    roles::WriteId id;
  };
  void change(WriteState state, std::function<void()> apply);
  void stall(std::function<void()> what);
  Duration in_turn();
  void answer(WriteState state, Duration delay, roles::Outcome outcome, std::string why);
  void later(Duration delay, std::function<void(Process&)> what);

  World& world_;
  Node& node_;
  uint64_t pool_epoch_;  // Of the server that opened it.
  Instant free_at_{};    // What is asked for next is done no sooner.
};

}  // namespace muster::sim
