#pragma once

#include "wire/pb.h"

namespace muster::wire {

inline bool same_key(const pb::JobKey& a, const pb::JobKey& b) {
  return a.job() == b.job() && a.run() == b.run() && a.epoch() == b.epoch();
}

// Of whatever names a job and a run: keys, records, live jobs.
template <typename A, typename B>
bool same_run(const A& a, const B& b) {
  return a.job() == b.job() && a.run() == b.run();
}

// The assignment that a row is under.
pb::JobKey key_of(const pb::JobRow& row);

}  // namespace muster::wire
