#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"

namespace muster::sim {

struct NodePlan {
  std::string name, owner, version = "test";
  pb::RoleFlag flag{};
  ModelClass model_class;
  Duration per_item{}, loading{}, disk_latency{};
  int64_t clock_drift_ppm = 0;
  std::string lie;                                          // Not empty: a liar, for good.
  bool objects_to_model = false, objects_to_items = false;  // Says that they cannot work anywhere.
  uint64_t agreed = 0;  // Items in a row on which it agreed with others before the first job.
  Instant joins{};
  bool healthy = false;  // Of the core that is left in peace in the end.
};

struct JobPlan {
  std::string model;
  std::vector<std::string> tasks;
  int items = 1;  // Of each task.
  uint32_t redundancy = 2, quorum_wait_ms = 30'000;
  Instant submitted{};
  std::optional<Instant> cancelled;
  bool adaptive = false;  // --redundancy auto.
  bool force = false;     // The same request once more when it is over.
};

enum class FaultKind {
  kKill,     // The process ends; it starts again at `until`, if that is set.
  kWipe,     // The same, and its store is gone.
  kUnplug,   // Silence both ways, for good until healed; the process lives on.
  kCutUp,    // Nothing passes towards the server.
  kCutDown,  // Nothing passes from it.
  kBlip,     // Its line closes and is opened again.
  kPause,    // Stopped like by SIGSTOP.
  kDiskFull,
  kDiskSlow,
  kRot,           // A record on its disk is altered.
  kLyingStore,    // It serves answers that it has altered.
  kDatabaseAway,  // On the server.
  kDatabaseSlow,
  kSecondServer,     // Another server opens the database; this one may change nothing any more.
  kDatabaseUnknown,  // On the server: commits whose outcome is not told.
  kEngineFails,
  kEngineStuck,
  kEngineSlow,
  kModelMissing,
  kCrowdLeaves,  // Half of the workers at once; they come back at once too.
  kSlowLine,     // All that it says and hears takes up to 4 s more.
  kFlap,         // Its line closes every few seconds.
  kStorm,        // Envelopes of the whole pool lost, late, repeated, overtaken.
};
const char* to_string(FaultKind kind);

struct Fault {
  Instant at{};
  Instant until{};  // When it passes.
  FaultKind kind{};
  std::string node;  // Empty for a storm and a crowd.
};

// Everything a seed decides before the first step.
struct Plan {
  uint64_t seed = 0;
  std::vector<NodePlan> nodes;  // The server and the coordinators too.
  std::vector<JobPlan> jobs;
  std::vector<Fault> faults;
  bool some_items_crash = false;  // Every honest engine: jobs that have one fail.
  bool take_overs = false;        // Most faults strike coordinators, of which there are two.
  Duration retain{};              // For which records of runs that are over are kept.
  Weather weather;                // While it hurts; afterwards nothing is lost.
  Instant healed{};               // From here on nothing goes wrong any more.
};

Plan draw_plan(uint64_t seed);

// For a person: what was drawn.
std::string describe(const Plan& plan);

}  // namespace muster::sim
