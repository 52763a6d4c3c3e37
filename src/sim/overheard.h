#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/rng.h"
#include "roles/role.h"
#include "wire/run_key.h"

namespace muster::sim {

// What an insider can have heard of one run of a job.
struct OverheardRun {
  pb::JobKey key;           // Of the latest epoch.
  std::string coordinator;  // Machine.
  pb::ModelPin model;
  std::string numeric_class;                   // One that may give values.
  std::map<uint32_t, pb::ItemRequests> items;  // By index.
  struct Lease {
    std::string machine;
    pb::Grant grant;  // Without the requests.
  };
  std::deque<Lease> leases;  // The latest ones.
};

// Everything that was said in the pool, as far as it is worth stealing: keys of jobs, leases,
// digests, revisions, whole messages and records. Intruders make their words of it. Bounded.
class Overheard {
 public:
  void note(const pb::Envelope& envelope);

  [[nodiscard]] const std::map<wire::RunKey, OverheardRun>& runs() const { return runs_; }
  [[nodiscard]] bool is_live(const wire::RunKey& run) const { return live_.contains(run); }
  // One of those that go on; null: none was heard of.
  [[nodiscard]] const OverheardRun* some_run(Rng& rng) const;
  [[nodiscard]] const pb::View& view() const { return view_; }
  // Highest revision that was told to anybody.
  [[nodiscard]] uint64_t revision() const { return revision_; }
  // Null: nothing was said yet.
  [[nodiscard]] const pb::Envelope* some_message(Rng& rng) const;
  [[nodiscard]] const pb::SignedRecord* some_record(Rng& rng) const;
  [[nodiscard]] const std::deque<pb::SignedRecord>& records() const { return records_; }

 private:
  static constexpr size_t kMostOfABody = 8, kMostRecords = 64, kMostLeases = 64;

  OverheardRun& run_of(const pb::JobKey& key);
  void note_grant(const pb::Envelope& envelope);
  void note_records(const pb::Put& put);
  void note_pool_state(const pb::PoolState& state);

  std::map<wire::RunKey, OverheardRun> runs_;
  std::set<wire::RunKey> live_;
  std::map<int, std::deque<pb::Envelope>> said_;  // By body.
  std::deque<pb::SignedRecord> records_;
  pb::View view_;
  uint64_t revision_ = 0, heard_ = 0;
};

}  // namespace muster::sim
