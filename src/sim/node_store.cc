#include "sim/node_store.h"

#include <algorithm>

#include "sim/process.h"

namespace muster::sim {
namespace {

constexpr size_t kMostStalled = 20'000;  // What may wait for a disk.

// Every answer in the feed says something else now; whose it is stays as it was.
void alter(pb::Feed& feed) {
  for (auto& signed_record : *feed.mutable_records()) {
    pb::Record record;
    if (!record.ParseFromString(signed_record.body()) || !record.has_answer()) continue;
    for (auto& response : *record.mutable_answer()->mutable_responses()) {
      response.set_loglikelihood(response.loglikelihood() - 7);
    }
    signed_record.set_body(record.SerializeAsString());
  }
}

}  // namespace

NodeStore::NodeStore(World& world, Node& node)
    : world_(world), node_(node), pool_epoch_(node.database.pool_epoch) {}

void NodeStore::commit(pb::Role owner, roles::Commit commit) {
  const WriteState state{owner, commit.id};
  change(state, [this, changes = std::move(commit.changes)] {
    for (const roles::Change& change : changes) {
      node_.database.apply(change);
      world_.observer().on_committed(node_, change);
    }
  });
}

void NodeStore::find(pb::Role owner, const roles::FindJobs& find) {
  if (node_.disk.hangs && node_.stalled.size() < kMostStalled) {
    return stall([this, owner, find] { this->find(owner, find); });
  }
  const bool away = node_.disk.away || node_.disk.hangs;
  const Duration latency = node_.disk.latency;
  later(away ? latency + seconds(5) : in_turn() + latency / 2,
        [this, owner, find, away](Process& p) {
          roles::JobsFound found{find.call, node_.database.find(find)};
          if (away) found.found = fail(Code::kTryLater, "the database does not answer");
          p.driver().deliver(node_.local(world_.now()), owner, std::move(found));
        });
}

void NodeStore::write(pb::Role owner, roles::RecordWrite write) {
  const WriteState state{owner, write.id};
  change(state, [this, change = std::move(write.change)] {
    node_.records.apply(change);
    world_.observer().on_stored(node_, change);
  });
}

void NodeStore::change(WriteState state, std::function<void()> apply) {
  if (node_.disk.hangs && node_.stalled.size() >= kMostStalled) {
    return answer(state, {}, roles::Outcome::kFailed, "the disk does not keep up");
  }
  if (node_.disk.hangs) return stall([this, state, apply] { change(state, apply); });
  if (node_.disk.full) {
    return answer(state, node_.disk.latency, roles::Outcome::kFailed, "no space left");
  }
  if (node_.disk.away) {
    return answer(state, node_.disk.latency + seconds(5), roles::Outcome::kFailed,
                  "the database does not answer");
  }
  const bool unknown = world_.rng.below(1000) < node_.disk.unknown_per_mille;
  const bool applied = !unknown || world_.rng.below(2) == 0;
  auto carry_out = [this, state, unknown, applied, apply = std::move(apply)](Process&) {
    if (node_.is_server() && pool_epoch_ != node_.database.pool_epoch) {
      return answer(state, {}, roles::Outcome::kFailed, "another server has this pool now");
    }
    if (applied) apply();
    answer(state, node_.disk.latency / 2,
           unknown ? roles::Outcome::kUnknown : roles::Outcome::kDone, "");
  };
  if (node_.disk.latency == Duration()) return carry_out(*node_.process);
  later(in_turn(), std::move(carry_out));
}

void NodeStore::read(pb::Role owner, const roles::ReadRecords& read) {
  if (node_.disk.hangs) return stall([this, owner, read] { this->read(owner, read); });
  later(in_turn(), [this, owner, read](Process& process) {
    auto answer = node_.records.read(read);
    if (node_.disk.lies) alter(*answer.feed);
    process.driver().deliver(node_.local(world_.now()), owner, std::move(answer));
  });
}

void NodeStore::read_digests(pb::Role owner, const roles::ReadDigests& read) {
  if (node_.disk.hangs) return stall([this, owner, read] { read_digests(owner, read); });
  later(in_turn(), [this, owner, read](Process& process) {
    process.driver().deliver(node_.local(world_.now()), owner,
                             roles::DigestsRead{read.about, node_.records.digests_of(read.run)});
  });
}

// It is done when the disk moves again, if the process is still the same then.
void NodeStore::stall(std::function<void()> what) {
  node_.stalled.push_back([this, life = node_.life, what = std::move(what)] {
    world_.in_process(node_, life, [what](Process&) { what(); });
  });
}

// The disk does one thing after the other.
Duration NodeStore::in_turn() {
  free_at_ = std::max(free_at_, world_.now() + node_.disk.latency / 2);
  return free_at_ - world_.now();
}

void NodeStore::answer(WriteState state, Duration delay, roles::Outcome outcome, std::string why) {
  later(delay, [this, state, outcome, why = std::move(why)](Process& process) {
    process.driver().deliver(node_.local(world_.now()), state.owner,
                             roles::Stored{state.id, outcome, why});
  });
}

void NodeStore::later(Duration delay, std::function<void(Process&)> what) {
  world_.in_process_after(node_, delay, std::move(what));
}

}  // namespace muster::sim
