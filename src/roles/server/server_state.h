#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "roles/server/limits.h"
#include "roles/server/local_token.h"
#include "roles/server/release_check.h"
#include "wire/pb.h"

namespace muster::roles::server {

constexpr Duration kRetain = seconds(30 * 24 * 3600);

struct ServerOptions {
  uint32_t storage_nodes = 2;  // Members wanted in the storage view.
  Release release;
  uint32_t quarantine_after = 3;  // Strikes; 0: never.
  int64_t started_at_ms = 0;      // Unix time.
  Duration retain = kRetain;      // For which records of a run are kept when it is over.
  // Machines that may coordinate without a certificate; none: those that the database knows, or the
  // first that comes.
  std::vector<std::string> coordinators;
  std::vector<LocalToken> local_tokens;
  LimitOptions limits;
};

// A run that is over, whose records may be kept yet.
struct KeptRun {
  int64_t ended_at_ms = 0;  // Unix time.
  pb::LiveJob run;
};
// None: nobody has frozen it, so that it has no records.
[[nodiscard]] std::optional<KeptRun> kept_run(const pb::JobRow& row);

constexpr size_t kMostKept = 20'000;  // More have no room in what stores are told.

// What the server had written when it stopped. A new pool starts with nothing.
struct ServerState {
  uint64_t pool_epoch = 0;  // Higher than that of every server before it.
  pb::PoolRow pool;
  pb::View view;
  std::vector<pb::JobRow> live;  // Runs that go on.
  std::vector<KeptRun> kept;     // Of jobs whose latest run is over: kMostKept that ended last.
  std::vector<pb::MachineRow> machines;
  std::vector<pb::Reason> reasons;  // Of the runs that go on, each job's in order.
  std::vector<pb::TokenRow> tokens;
  std::vector<CountedRun> counted;  // Accepted within a day.
};

}  // namespace muster::roles::server
