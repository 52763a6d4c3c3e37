#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wire/pb.h"

namespace muster::web {

// What a machine does, as pages tell it: the first that holds.
enum class MachineState {
  kRemoved,
  kAway,
  kQuarantined,
  kCoordinating,
  kComputing,
  kStoring,
  kIdle
};

// A machine that is in the pool, or was since the website began.
struct MachineNow {
  pb::Machine machine;  // As the server last told of it; of one that is gone, with state "away".
  MachineState state = MachineState::kIdle;
  int64_t number = 0;    // Its place on the map: in which order the website saw it, from 1.
  int64_t first_ms = 0;  // When the website saw it first.
  int64_t since_ms = 0;  // In this state; Unix time. Of those that were there at first: since then.
};

// A run that goes on.
struct JobNow {
  pb::JobRow row;
  double items_per_s = 0;  // Mean of the last kRateMs.
  int64_t machines = 0;    // Lent to it.
};

// How a pool is, as far as one may look at it from outside.
struct PoolNow {
  static constexpr int64_t kRateMs = 60'000;
  static constexpr int64_t kRateEveryMs = 5'000, kRatesMs = 600'000;

  int64_t at_ms = 0;  // Unix time. 0: nothing has been heard yet.
  std::string pool, version;
  pb::View view;
  uint32_t copies_wanted = 0;
  std::map<std::string, MachineNow> machines;  // By id.
  std::map<std::string, JobNow> jobs;          // By id.
  std::map<std::string, int64_t> runs;         // By state, as the database has them.
  double items_per_s = 0;
  std::vector<double> rates;  // Means of kRateEveryMs, the latest last; of kRatesMs at most.
};

}  // namespace muster::web
