#include "sim/plan.h"

#include <algorithm>
#include <array>

namespace muster::sim {
namespace {

constexpr const char* kVersions[] = {"test", "older", "newer"};
constexpr Instant kStart{seconds(100)};  // World's first instant.

Duration between(Rng& rng, Duration least, Duration most) {
  return least + Duration(static_cast<int64_t>(
                     rng.below(static_cast<uint64_t>((most - least).count()) + 1)));
}

bool one_in(Rng& rng, uint64_t n) { return rng.below(n) == 0; }

// Which kinds of trouble this seed has at all: a swarm, so that each is seen alone and with others.
class Swarm {
 public:
  explicit Swarm(Rng rng) : rng_(rng) {}
  // On in this seed with a probability of 1 in n.
  bool has(uint64_t n) { return one_in(rng_, n); }

 private:
  Rng rng_;
};

NodePlan draw_worker(Rng& rng, int number, bool same_owners) {
  NodePlan node;
  node.name = "w" + std::to_string(number);
  node.flag = pb::ROLE_FLAG_AUTO;
  if (one_in(rng, 6)) node.flag = pb::ROLE_FLAG_COMPUTE;
  if (one_in(rng, 12)) node.flag = pb::ROLE_FLAG_STORAGE;
  node.owner = same_owners ? "" : "owner-" + std::to_string(rng.below(6));
  node.per_item = between(rng, milliseconds(50), milliseconds(1500));
  node.loading = between(rng, {}, seconds(3));
  node.disk_latency = between(rng, milliseconds(1), milliseconds(20));
  node.clock_drift_ppm = static_cast<int64_t>(rng.below(40'001)) - 20'000;
  return node;
}

void draw_nodes(Rng rng, Plan& plan) {
  NodePlan server{.name = "server", .flag = pb::ROLE_FLAG_UNSPECIFIED, .joins = kStart};
  server.disk_latency = between(rng, milliseconds(1), milliseconds(10));
  server.healthy = true;
  plan.nodes.push_back(server);
  const int coordinators = plan.take_overs ? 2 : 1 + static_cast<int>(rng.below(2));
  for (int i = 1; i <= coordinators; ++i) {
    NodePlan node{.name = "c" + std::to_string(i), .flag = pb::ROLE_FLAG_COORDINATOR};
    node.joins = kStart + between(rng, {}, seconds(5));
    node.clock_drift_ppm = static_cast<int64_t>(rng.below(40'001)) - 20'000;
    node.healthy = i == 1;
    plan.nodes.push_back(node);
  }
  const bool mixed_versions = one_in(rng, 4);
  const int workers = 4 + static_cast<int>(rng.below(7));
  const bool same_owners = one_in(rng, 3), crowd = one_in(rng, 4);
  for (int i = 1; i <= workers; ++i) {
    NodePlan node = draw_worker(rng, i, same_owners);
    if (mixed_versions) node.version = kVersions[rng.below(3)];
    node.joins = kStart + between(rng, {}, crowd ? milliseconds(50) : seconds(20));
    plan.nodes.push_back(node);
  }
}

// Numeric classes, liars, and who is healthy: enough honest machines that every job can end.
void draw_natures(Rng rng, Plan& plan) {
  const bool mixed = one_in(rng, 2), exact = one_in(rng, 2);
  const bool known = one_in(rng, 3);
  size_t liars = one_in(rng, 3) ? 1 + rng.below(2) : 0;
  const bool conspire = one_in(rng, 2);
  size_t healthy = 0;
  for (NodePlan& node : plan.nodes) {
    if (!node.name.starts_with("w")) continue;
    const uint64_t which = mixed ? rng.below(3) : 0;
    const bool approximate = !exact && which != 1;
    if (known) node.agreed = rng.below(2) * (150 + rng.below(200));
    node.model_class.name = (approximate ? "approximate-" : "exact-") + std::to_string(which);
    if (healthy < 4 || one_in(rng, 2)) {
      node.healthy = true;
      ++healthy;
      if (node.flag != pb::ROLE_FLAG_AUTO) node.flag = pb::ROLE_FLAG_AUTO;
    } else if (liars > 0) {
      node.lie = conspire ? "the same" : node.name;
      --liars;
    }
  }
}

// One broken machine that says that the job cannot work; the others are patient with it.
void draw_objector(Rng rng, Plan& plan) {
  const auto objector =
      std::find_if(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) {
        return node.name.starts_with("w") && !node.healthy && node.lie.empty();
      });
  if (objector == plan.nodes.end() || !one_in(rng, 3)) return;
  (one_in(rng, 2) ? objector->objects_to_model : objector->objects_to_items) = true;
  for (JobPlan& job : plan.jobs) {
    job.redundancy = std::max(job.redundancy, 2u);  // Else its word would be enough.
    job.quorum_wait_ms = 30'000;
  }
}

// Some change their minds while they still ask for the job.
Duration draw_patience(Rng& rng) { return seconds(one_in(rng, 2) ? 30 : 3); }

void draw_jobs(Rng rng, Plan& plan) {
  const int jobs = 1 + static_cast<int>(rng.below(3));
  for (int i = 1; i <= jobs; ++i) {
    JobPlan job;
    job.model = "ORG/model-" + std::to_string(i);
    job.tasks = {"tinyMMLU"};
    if (one_in(rng, 2)) job.tasks.push_back("tinyHellaswag");
    job.items = 1 + static_cast<int>(rng.below(78));
    job.redundancy = one_in(rng, 4) ? 1 + static_cast<uint32_t>(rng.below(3)) : 2;
    job.quorum_wait_ms = one_in(rng, 4) ? 5'000 : 30'000;
    job.adaptive = one_in(rng, 4);
    if (job.adaptive) job.redundancy = 2;
    job.submitted = kStart + between(rng, seconds(1), seconds(30));
    if (one_in(rng, 8)) job.cancelled = job.submitted + between(rng, {}, draw_patience(rng));
    job.force = one_in(rng, 8);
    plan.jobs.push_back(job);
  }
}

struct KindDraw {
  FaultKind kind;
  const char* name;
  uint64_t one_seed_in;  // How rare a seed is that has this kind.
  Duration longest;
};

constexpr KindDraw kKinds[] = {
    {FaultKind::kKill, "kill", 2, seconds(20)},
    {FaultKind::kWipe, "wipe", 3, seconds(20)},
    {FaultKind::kUnplug, "unplug", 4, seconds(40)},
    {FaultKind::kCutUp, "cut up", 4, seconds(20)},
    {FaultKind::kCutDown, "cut down", 4, seconds(20)},
    {FaultKind::kPause, "pause", 3, seconds(25)},
    {FaultKind::kBlip, "blip", 3, seconds(0)},
    {FaultKind::kDiskFull, "disk full", 4, seconds(30)},
    {FaultKind::kDiskSlow, "disk slow", 4, seconds(30)},
    {FaultKind::kRot, "rot", 4, seconds(0)},
    {FaultKind::kDatabaseAway, "database away", 5, seconds(20)},
    {FaultKind::kDatabaseUnknown, "database unknown", 4, seconds(20)},
    {FaultKind::kEngineFails, "engine fails", 4, seconds(20)},
    {FaultKind::kEngineStuck, "engine stuck", 4, seconds(40)},
    {FaultKind::kEngineSlow, "engine slow", 4, seconds(40)},
    {FaultKind::kLyingStore, "lying store", 4, seconds(30)},
    {FaultKind::kModelMissing, "model missing", 6, seconds(30)},
    {FaultKind::kStorm, "storm", 3, seconds(15)},
    {FaultKind::kDatabaseSlow, "database slow", 6, seconds(20)},
    {FaultKind::kSecondServer, "second server", 8, seconds(15)},
    {FaultKind::kCrowdLeaves, "crowd leaves", 8, seconds(20)},
    {FaultKind::kSlowLine, "slow line", 4, seconds(30)},
    {FaultKind::kFlap, "flap", 5, seconds(20)},
};

bool is_of_database(FaultKind kind) {
  return kind == FaultKind::kDatabaseAway || kind == FaultKind::kDatabaseUnknown ||
         kind == FaultKind::kDatabaseSlow || kind == FaultKind::kSecondServer;
}

bool is_of_line(FaultKind kind) {
  return kind == FaultKind::kUnplug || kind == FaultKind::kCutUp || kind == FaultKind::kCutDown ||
         kind == FaultKind::kBlip || kind == FaultKind::kFlap || kind == FaultKind::kSlowLine;
}

// Whom it may strike. The server's disk has faults of its own; a coordinator has no disk.
std::string draw_target(Rng& rng, FaultKind kind, const Plan& plan) {
  if (kind == FaultKind::kStorm || kind == FaultKind::kCrowdLeaves) return "";
  if (is_of_database(kind)) return "server";
  std::vector<std::string> names;
  const bool any = kind == FaultKind::kKill || kind == FaultKind::kPause;
  const bool not_server = is_of_line(kind);
  for (const NodePlan& node : plan.nodes) {
    if (plan.take_overs && (any || not_server) && !node.name.starts_with("c")) continue;
    if (node.name == "server" ? any : (any || not_server || node.name.starts_with("w"))) {
      names.push_back(node.name);
    }
  }
  return names[rng.below(names.size())];
}

void draw_faults(Rng rng, Plan& plan) {
  Swarm swarm(rng.fork("swarm"));
  std::vector<KindDraw> kinds;
  for (const KindDraw& kind : kKinds) {
    const bool wanted = plan.take_overs && is_of_line(kind.kind);
    if (swarm.has(kind.one_seed_in) || wanted) kinds.push_back(kind);
  }
  const Duration hurt = seconds(60);
  plan.healed = kStart + hurt;
  if (swarm.has(3)) plan.weather.lost_per_mille = static_cast<uint32_t>(rng.below(50));
  if (swarm.has(3)) plan.weather.repeated_per_mille = static_cast<uint32_t>(rng.below(100));
  plan.weather.least_delay = between(rng, Duration(100), milliseconds(5));
  plan.weather.jitter = swarm.has(3) ? between(rng, {}, milliseconds(500)) : milliseconds(1);
  if (swarm.has(3)) plan.weather.late_per_mille = static_cast<uint32_t>(rng.below(50));
  if (kinds.empty()) return;
  const uint64_t count = rng.below(25);
  for (uint64_t i = 0; i < count; ++i) {
    const KindDraw& draw = kinds[rng.below(kinds.size())];
    Fault fault{.at = kStart + between(rng, seconds(1), hurt), .kind = draw.kind};
    fault.until = fault.at + between(rng, {}, draw.longest);
    fault.node = draw_target(rng, fault.kind, plan);
    plan.faults.push_back(fault);
  }
  std::stable_sort(plan.faults.begin(), plan.faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
}

std::string seconds_text(Instant at) {
  return std::to_string((at - kStart).count() / 1000) + " ms";
}

}  // namespace

const char* to_string(FaultKind kind) {
  return std::find_if(std::begin(kKinds), std::end(kKinds),
                      [kind](const KindDraw& draw) { return draw.kind == kind; })
      ->name;
}

Plan draw_plan(uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  const Rng rng = Rng(seed).fork("plan");
  plan.take_overs = rng.fork("take-overs").below(4) == 0;
  draw_nodes(rng.fork("nodes"), plan);
  draw_natures(rng.fork("natures"), plan);
  draw_jobs(rng.fork("jobs"), plan);
  draw_objector(rng.fork("objector"), plan);
  draw_faults(rng.fork("faults"), plan);
  plan.some_items_crash = rng.fork("crashes").below(20) == 0;
  Rng retain = rng.fork("retain");
  plan.retain = seconds(std::array{0, 5, 1000}[retain.below(3)]);
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text;
  for (const NodePlan& node : plan.nodes) {
    text += "  " + node.name + " joins at " + seconds_text(node.joins) +
            (node.version == "test" ? "" : ", " + node.version) +
            (node.agreed == 0 ? "" : ", known by " + std::to_string(node.agreed) + " items") +
            (node.lie.empty() ? "" : ", lies") +
            (node.objects_to_model || node.objects_to_items ? ", objects" : "") +
            (node.healthy ? ", healthy" : "") + "\n";
  }
  for (const JobPlan& job : plan.jobs) {
    text += "  job " + job.model + ": " + std::to_string(job.items) + " items of " +
            std::to_string(job.tasks.size()) + " tasks, redundancy " +
            (job.adaptive ? "auto" : std::to_string(job.redundancy)) + ", at " +
            seconds_text(job.submitted) +
            (job.cancelled ? ", cancelled at " + seconds_text(*job.cancelled) : "") +
            (job.force ? ", forced again" : "") + "\n";
  }
  if (plan.some_items_crash) text += "  some items crash every honest engine\n";
  text += "  lost " + std::to_string(plan.weather.lost_per_mille) + ", repeated " +
          std::to_string(plan.weather.repeated_per_mille) + ", late " +
          std::to_string(plan.weather.late_per_mille) + " per mille, jitter " +
          std::to_string(plan.weather.jitter.count()) + " us\n";
  for (const Fault& fault : plan.faults) {
    text += "  " + seconds_text(fault.at) + " to " + seconds_text(fault.until) + "  " +
            to_string(fault.kind) + " " + fault.node + "\n";
  }
  return text + "  healed at " + seconds_text(plan.healed) + "\n";
}

}  // namespace muster::sim
