#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "wire/pb.h"

namespace muster::wire {

// One run of a job, whoever has it. In the order of the jobs' ids.
struct RunKey {
  std::string job;
  uint32_t run = 0;
  auto operator<=>(const RunKey&) const = default;
};

// Of whatever names a job and a run: keys, records, rows, live jobs.
template <typename Named>
RunKey run_key(const Named& named) {
  return {named.job(), named.run()};
}

// Whether it is of that run.
template <typename Named>
bool is_of(const RunKey& run, const Named& named) {
  return named.job() == run.job && named.run() == run.run;
}

// Whether two such are of one run.
template <typename A, typename B>
bool same_run(const A& a, const B& b) {
  return a.job() == b.job() && a.run() == b.run();
}

// The same run under the same epoch.
inline bool same_key(const pb::JobKey& a, const pb::JobKey& b) {
  return a.job() == b.job() && a.run() == b.run() && a.epoch() == b.epoch();
}

// The assignment that a row is under.
pb::JobKey key_of(const pb::JobRow& row);

}  // namespace muster::wire
