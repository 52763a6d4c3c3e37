#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// What one researcher may ask of the pool; 0, or none: as much as he likes. Operators may anything.
struct LimitOptions {
  uint32_t running_jobs = 0;
  uint64_t items_a_day = 0;  // In any 24 hours, by when their jobs were accepted.
  // Names on the Hub, or paths of directories, with '*' for any letters: "EleutherAI/*".
  std::vector<std::string> models;
};

// A run whose items are known, and whose they are.
struct CountedRun {
  std::string job;
  uint32_t run = 0;
  std::string researcher;
  int64_t accepted_at_ms = 0;  // Unix time.
  uint64_t items = 0;
};
// Of a row that has a researcher and whose requests are frozen; else without items.
[[nodiscard]] CountedRun counted_run(const pb::JobRow& row, uint64_t items);

// Holds researchers to what the operator allows. A job's items are known when its requests are
// frozen, after it was accepted: then they count, or the job is no job.
class Limits {
 public:
  static constexpr int64_t kDayMs = 86'400'000;

  explicit Limits(LimitOptions options) : options_(std::move(options)) {}
  // As it was before this server started.
  void restore(CountedRun run) { count(std::move(run)); }

  // Whether he may begin a job with this model, who has so many that go on. kPermission, kTryLater.
  [[nodiscard]] Status may_begin(const pb::Holder& holder, const pb::JobRequest& request,
                                 size_t running) const;
  // The run's items, which count from now on if they may. kTryLater.
  [[nodiscard]] Status add(int64_t now_ms, CountedRun run);

 private:
  [[nodiscard]] bool allows(const std::string& model) const;
  void count(CountedRun run);

  LimitOptions options_;
  std::map<std::pair<std::string, uint32_t>, CountedRun> runs_;  // Of the last day.
};

}  // namespace muster::roles::server
