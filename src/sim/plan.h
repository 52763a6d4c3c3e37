#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/acts.h"
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
  bool healthy = false;   // Of the core that is left in peace in the end.
  std::vector<Act> acts;  // Not empty: an intruder, until the end.
  bool careful = false;   // It says nothing that the server would not pass on.
  bool reloads = false;   // Its engine, after a crash or a stop.
  std::string key_of;     // Another node whose key file was copied to it.
};

struct JobPlan {
  std::string model;
  std::string researcher;
  std::vector<std::string> tasks;
  int items = 1;  // Of each task.
  uint32_t redundancy = 2, quorum_wait_ms = 30'000;
  Instant submitted{};
  std::optional<Instant> cancelled;
  bool adaptive = false;    // --redundancy auto.
  bool force = false;       // The same request once more when it is over.
  bool nobody_has = false;  // The model: it can only fail.
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
  kDiskHangs,    // A store's: what it is asked is answered when it passes, if it does.
  kDatabaseHangs,
  kHalfDead,       // Its line passes nothing and does not close; a new one would.
  kOlderDatabase,  // The server is started again on a copy of some seconds before.
  kNewDatabase,    // The same, on an empty one.
  kLeave,          // The process is told to end, and does when it may; it starts again at `until`.
  kStorm,          // Envelopes of the whole pool lost, late, repeated, overtaken.
};
const char* to_string(FaultKind kind);

struct Fault {
  Instant at{};
  Instant until{};  // When it passes.
  FaultKind kind{};
  std::string node;       // Empty for a storm and a crowd.
  bool for_good = false;  // It does not pass: not even when all else is healed.
};

// Everything a seed decides before the first step.
struct Plan {
  uint64_t seed = 0;
  std::vector<NodePlan> nodes;  // The server and the coordinators too.
  std::vector<JobPlan> jobs;
  std::vector<Fault> faults;
  bool some_items_crash = false;  // Every honest engine: jobs that have one fail.
  bool no_excuse = false;         // The one liar there is outvoted: no job may fail.
  Duration freezing{};            // Building requests takes up to so much.
  bool take_overs = false;        // Most faults strike coordinators, of which there are two.
  Duration retain{};              // For which records of runs that are over are kept.
  Weather weather;                // While it hurts; afterwards nothing is lost.
  Instant healed{};               // From here on nothing goes wrong any more.
};

// `only`: the name of a fault, a nature or an act. Then nothing else ails the pool, and that one
// strikes in every seed. Empty: whatever the seed has drawn. "nothing": just that.
Plan draw_plan(uint64_t seed, const std::string& only = "");
// Whether there is a fault, a nature or an act of this name.
bool is_kind(const std::string& name);

// For a person: what was drawn.
std::string describe(const Plan& plan);

}  // namespace muster::sim
