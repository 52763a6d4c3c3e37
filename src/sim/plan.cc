#include "sim/plan.h"

#include <algorithm>
#include <array>
#include <functional>

namespace muster::sim {
namespace {

constexpr const char* kVersions[] = {"test", "older", "newer"};
constexpr Instant kStart{seconds(100)};  // World's first instant.
constexpr Duration kHurt = seconds(60);  // From then on, for so long.

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
    if (!node.name.starts_with('w')) continue;
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
        return node.name.starts_with('w') && !node.healthy && node.lie.empty();
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
    job.researcher = i % 2 == 1 ? "ada" : "ben";
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

// Drawn apart from those above, so that what they draw stays as it is.
constexpr KindDraw kMoreKinds[] = {
    {FaultKind::kDiskHangs, "disk hangs", 6, seconds(60)},
    {FaultKind::kDatabaseHangs, "database hangs", 8, seconds(30)},
    {FaultKind::kHalfDead, "half-dead line", 6, seconds(0)},
    {FaultKind::kOlderDatabase, "older database", 10, seconds(15)},
    {FaultKind::kNewDatabase, "new database", 12, seconds(15)},
    {FaultKind::kLeave, "leave", 4, seconds(60)},
};

const KindDraw* find_kind(const std::function<bool(const KindDraw&)>& is_it) {
  for (const KindDraw& draw : kKinds) {
    if (is_it(draw)) return &draw;
  }
  const auto found = std::find_if(std::begin(kMoreKinds), std::end(kMoreKinds), is_it);
  return found == std::end(kMoreKinds) ? nullptr : &*found;
}

bool is_of_database(FaultKind kind) {
  return kind == FaultKind::kDatabaseAway || kind == FaultKind::kDatabaseUnknown ||
         kind == FaultKind::kDatabaseSlow || kind == FaultKind::kSecondServer ||
         kind == FaultKind::kDatabaseHangs || kind == FaultKind::kOlderDatabase ||
         kind == FaultKind::kNewDatabase;
}

bool is_of_line(FaultKind kind) {
  return kind == FaultKind::kUnplug || kind == FaultKind::kCutUp || kind == FaultKind::kCutDown ||
         kind == FaultKind::kBlip || kind == FaultKind::kFlap || kind == FaultKind::kSlowLine ||
         kind == FaultKind::kHalfDead;
}

// Whom it may strike. The server's disk has faults of its own; a coordinator has no disk.
std::string draw_target(Rng& rng, FaultKind kind, const Plan& plan) {
  if (kind == FaultKind::kStorm || kind == FaultKind::kCrowdLeaves) return "";
  if (is_of_database(kind)) return "server";
  std::vector<std::string> names;
  const bool any = kind == FaultKind::kKill || kind == FaultKind::kPause;
  const bool not_server = is_of_line(kind) || kind == FaultKind::kLeave;
  for (const NodePlan& node : plan.nodes) {
    if (plan.take_overs && (any || not_server) && !node.name.starts_with('c')) continue;
    if (node.name == "server" ? any : (any || not_server || node.name.starts_with('w'))) {
      names.push_back(node.name);
    }
  }
  return names[rng.below(names.size())];
}

void draw_weather(Rng& rng, Swarm& swarm, Plan& plan) {
  if (swarm.has(3)) plan.weather.lost_per_mille = static_cast<uint32_t>(rng.below(50));
  if (swarm.has(3)) plan.weather.repeated_per_mille = static_cast<uint32_t>(rng.below(100));
  plan.weather.least_delay = between(rng, Duration(100), milliseconds(5));
  plan.weather.jitter = swarm.has(3) ? between(rng, {}, milliseconds(500)) : milliseconds(1);
  if (swarm.has(3)) plan.weather.late_per_mille = static_cast<uint32_t>(rng.below(50));
}

// One machine more than the others, so that whatever else was drawn stays as it is. Now and then
// two.
void draw_intruders(Rng rng, Plan& plan, std::optional<Act> only) {
  if (!only && !one_in(rng, 3)) return;
  const int count = !only && one_in(rng, 5) ? 2 : 1;
  for (int i = 1; i <= count; ++i) {
    NodePlan node = draw_worker(rng, i, one_in(rng, 3));
    node.name = "i" + std::to_string(i);
    node.model_class = plan.nodes.back().model_class;
    // The first stores of a pool are those that come first.
    node.joins = kStart + (one_in(rng, 2) ? Duration() : between(rng, {}, seconds(20)));
    const uint64_t acts = only ? 0 : 1 + rng.below(one_in(rng, 3) ? 6 : 2);
    for (uint64_t n = 0; n < acts; ++n) {
      const Act act = all_acts()[rng.below(all_acts().size())].act;
      const bool known = std::find(node.acts.begin(), node.acts.end(), act) != node.acts.end();
      if (!known) node.acts.push_back(act);
    }
    if (only) node.acts = {*only};
    const auto is_any = [&](bool (*of)(Act)) {
      return std::any_of(node.acts.begin(), node.acts.end(), of);
    };
    if (is_any(is_of_store)) {
      node.flag = one_in(rng, 2) ? pb::ROLE_FLAG_STORAGE : pb::ROLE_FLAG_AUTO;
      if (!one_in(rng, 4)) node.joins = kStart;
    }
    if (is_any(is_of_worker))
      node.flag = one_in(rng, 2) ? pb::ROLE_FLAG_COMPUTE : pb::ROLE_FLAG_AUTO;
    if (is_any([](Act act) { return act == Act::kSaysCoordinator; })) {
      node.joins = kStart + seconds(10);  // The pool knows its own by then.
    }
    if (!only && one_in(rng, 4)) node.lie = "the same";
    node.careful = one_in(rng, 2);
    plan.nodes.push_back(node);
  }
}

Fault draw_fault(Rng& rng, const KindDraw& draw, const Plan& plan) {
  Fault fault{.at = kStart + between(rng, seconds(1), kHurt), .kind = draw.kind};
  fault.until = fault.at + between(rng, {}, draw.longest);
  fault.node = draw_target(rng, fault.kind, plan);
  return fault;
}

void in_order(std::vector<Fault>& faults) {
  std::stable_sort(faults.begin(), faults.end(),
                   [](const Fault& a, const Fault& b) { return a.at < b.at; });
}

// A coordinator that comes anew reads what such a store made up, before anybody is asked.
void draw_reader(Rng rng, Plan& plan) {
  const bool invents = std::any_of(plan.nodes.begin(), plan.nodes.end(), [](const NodePlan& node) {
    return std::find(node.acts.begin(), node.acts.end(), Act::kInventsVoters) != node.acts.end();
  });
  if (!invents || plan.jobs.empty() || one_in(rng, 4)) return;
  Fault kill{.at = plan.jobs.front().submitted + between(rng, seconds(3), seconds(20))};
  kill.kind = FaultKind::kKill;
  kill.node = "c1";
  kill.until = kill.at + between(rng, {}, seconds(5));
  plan.faults.push_back(kill);
  in_order(plan.faults);
}

// One disk may hang for good, of a machine that came early: it is of the view then. The others are
// enough.
void hang_for_good(Rng& rng, Plan& plan, Fault& fault) {
  const auto is_early = [](const NodePlan& node) {
    return node.name.starts_with('w') && node.joins < kStart + seconds(6);
  };
  std::vector<std::string> early;
  for (const NodePlan& node : plan.nodes) {
    if (is_early(node)) early.push_back(node.name);
  }
  if (early.empty() || !one_in(rng, 2)) return;
  fault.node = early[rng.below(early.size())];
  fault.for_good = true;
}

void draw_more_faults(Rng rng, Plan& plan, const std::string& only) {
  for (const KindDraw& draw : kMoreKinds) {
    const bool on = only.empty() ? one_in(rng, draw.one_seed_in) : only == draw.name;
    for (uint64_t n = on ? 1 + rng.below(3) : 0; n > 0; --n) {
      Fault fault = draw_fault(rng, draw, plan);
      if (fault.kind == FaultKind::kDiskHangs && n == 1) hang_for_good(rng, plan, fault);
      plan.faults.push_back(fault);
    }
  }
  in_order(plan.faults);
}

void draw_faults(Rng rng, Plan& plan, const std::string& only) {
  Swarm swarm(rng.fork("swarm"));
  std::vector<KindDraw> kinds;
  for (const KindDraw& kind : kKinds) {
    if (!only.empty()) {
      if (only == kind.name) kinds.push_back(kind);
      continue;
    }
    const bool wanted = plan.take_overs && is_of_line(kind.kind);
    if (swarm.has(kind.one_seed_in) || wanted) kinds.push_back(kind);
  }
  plan.healed = kStart + kHurt;
  plan.weather.least_delay = milliseconds(1);
  plan.weather.jitter = milliseconds(1);
  if (only.empty()) draw_weather(rng, swarm, plan);
  if (kinds.empty()) return;
  const uint64_t count = only.empty() ? rng.below(25) : 1 + rng.below(5);
  for (uint64_t i = 0; i < count; ++i) {
    const KindDraw& draw = kinds[rng.below(kinds.size())];
    plan.faults.push_back(draw_fault(rng, draw, plan));
  }
  in_order(plan.faults);
}

std::string seconds_text(Instant at) {
  return std::to_string((at - kStart).count() / 1000) + " ms";
}

}  // namespace

const char* to_string(FaultKind kind) {
  return find_kind([kind](const KindDraw& draw) { return draw.kind == kind; })->name;
}

// ---- Natures: what is odd about a pool from the beginning. Machines that they need come on top of
// the others, so that whatever else was drawn stays as it is.

static NodePlan one_more(Rng& rng, const char* name, const Plan& plan) {
  NodePlan node = draw_worker(rng, 0, true);
  node.name = name;
  node.flag = pb::ROLE_FLAG_AUTO;
  node.model_class = plan.nodes.back().model_class;
  node.joins = kStart + between(rng, {}, seconds(10));
  return node;
}

static NodePlan& worker_one(Plan& plan) {
  return *std::find_if(plan.nodes.begin(), plan.nodes.end(),
                       [](const NodePlan& node) { return node.name == "w1"; });
}

// Loading takes longer than a lease lasts, and a crash or a stop costs a load. Engines crash once
// or so.
static void load_slowly(Rng& rng, Plan& plan) {
  for (NodePlan& node : plan.nodes) {
    if (!node.name.starts_with('w')) continue;
    node.loading = between(rng, seconds(2), seconds(25));
    node.reloads = true;
    Fault crash{.at = kStart + between(rng, seconds(20), kHurt), .kind = FaultKind::kEngineFails};
    crash.until = crash.at + seconds(3);
    crash.node = node.name;
    if (one_in(rng, 2)) plan.faults.push_back(crash);
  }
  in_order(plan.faults);
}

// One job's model is on no machine; the others' are.
static void lack_a_model(Rng& rng, Plan& plan) {
  JobPlan job{.model = "ORG/nobody-has", .tasks = {"tinyMMLU"}, .items = 10};
  job.quorum_wait_ms = 5'000;
  job.nobody_has = true;
  job.submitted = kStart + between(rng, seconds(1), seconds(30));
  plan.jobs.push_back(job);
}

// All machines are of one owner but one, which is wrong or unable, for good.
static void bring_a_stranger(Rng& rng, Plan& plan) {
  for (NodePlan& node : plan.nodes) {
    if (node.name.starts_with('w')) node.owner = "lab", node.lie.clear();
  }
  NodePlan stranger = one_more(rng, "x-stranger", plan);
  stranger.owner = "other";
  stranger.joins = kStart;
  if (one_in(rng, 2)) {
    stranger.lie = "its own";
  } else {
    stranger.acts = {Act::kUnableForEver};
  }
  plan.nodes.push_back(stranger);
  plan.no_excuse = true;
}

// Every machine is of a class of its own, and the one whose class gives the values is wrong.
static void bring_an_odd_class(Rng& rng, Plan& plan) {
  if (plan.jobs.front().items > 1000) return;  // It would outlast a seed.
  for (NodePlan& node : plan.nodes) {
    if (node.name.starts_with('w')) node.model_class.name += "-" + node.name, node.lie.clear();
  }
  NodePlan odd = one_more(rng, "x-odd", plan);
  odd.model_class = {.name = "a class of its own"};  // The first by name, with equal speeds.
  odd.lie = "its own";
  odd.joins = kStart;
  odd.owner.clear();
  odd.per_item = worker_one(plan).per_item;  // The job goes as fast as this one.
  plan.nodes.push_back(odd);
  plan.no_excuse = true;
}

// One machine's copy of the models differs from everybody's in a byte.
static void bring_other_weights(Rng& rng, Plan& plan) {
  NodePlan other = one_more(rng, "x-other", plan);
  other.lie = kOtherWeights;
  plan.nodes.push_back(other);
}

// One machine that goes on and on.
static void bring_a_crawler(Rng& rng, Plan& plan) {
  NodePlan crawler = one_more(rng, "x-crawler", plan);
  crawler.per_item = seconds(3600);
  crawler.joins = kStart;
  plan.nodes.push_back(crawler);
}

static void freeze_slowly(Rng& rng, Plan& plan) {
  plan.freezing = between(rng, milliseconds(1), seconds(5));
}

// A machine image with its key in it was started twice.
static void copy_a_key(Rng& rng, Plan& plan) {
  NodePlan twin = one_more(rng, "x-twin", plan);
  twin.key_of = worker_one(plan).name;
  plan.nodes.push_back(twin);
}

// Requests of more than a line takes at once.
static void draw_large_job(Rng& rng, Plan& plan) {
  plan.jobs.resize(1);
  JobPlan& job = plan.jobs.front();
  job = {.model = "ORG/model-1", .tasks = {"tinyMMLU"}, .items = 40'000};
  job.submitted = kStart + between(rng, seconds(1), seconds(30));
  for (NodePlan& node : plan.nodes) {
    if (node.name.starts_with('w')) node.per_item = milliseconds(2), node.owner.clear();
  }
}

struct NatureDraw {
  const char* name;
  uint64_t one_seed_in;  // 0: only when it is asked for.
  void (*draw)(Rng& rng, Plan& plan);
};

constexpr NatureDraw kNatures[] = {
    {"slow loading", 8, load_slowly},           {"model of nobody", 10, lack_a_model},
    {"stranger", 16, bring_a_stranger},         {"crawler", 10, bring_a_crawler},
    {"slow freezing", 4, freeze_slowly},        {"same key", 16, copy_a_key},
    {"large job", 500, draw_large_job},         {"odd class", 16, bring_an_odd_class},
    {"other weights", 12, bring_other_weights},
};

static void draw_more_natures(const Rng& rng, Plan& plan, const std::string& only) {
  for (const NatureDraw& nature : kNatures) {
    Rng own = rng.fork(nature.name);
    const bool drawn = nature.one_seed_in > 0 && one_in(own, nature.one_seed_in);
    if (only.empty() ? drawn : only == nature.name) nature.draw(own, plan);
  }
}

bool is_kind(const std::string& name) {
  return name == "nothing" || act_named(name) ||
         find_kind([&](const KindDraw& draw) { return draw.name == name; }) != nullptr ||
         std::any_of(std::begin(kNatures), std::end(kNatures),
                     [&](const NatureDraw& nature) { return nature.name == name; });
}

// Nobody lies, but whoever was asked for.
static void leave_in_peace(Plan& plan) {
  for (NodePlan& node : plan.nodes) node.lie.clear();
}

Plan draw_plan(uint64_t seed, const std::string& only) {
  Plan plan;
  plan.seed = seed;
  const Rng rng = Rng(seed).fork("plan");
  const bool anything = only.empty();
  plan.take_overs = anything && rng.fork("take-overs").below(4) == 0;
  draw_nodes(rng.fork("nodes"), plan);
  draw_natures(rng.fork("natures"), plan);
  draw_jobs(rng.fork("jobs"), plan);
  if (anything) draw_objector(rng.fork("objector"), plan);
  draw_faults(rng.fork("faults"), plan, only);
  draw_more_faults(rng.fork("more faults"), plan, only);
  plan.some_items_crash = anything && rng.fork("crashes").below(20) == 0;
  Rng retain = rng.fork("retain");
  plan.retain = seconds(std::array{0, 5, 1000}[retain.below(3)]);
  if (!anything) leave_in_peace(plan);
  draw_more_natures(rng.fork("more natures"), plan, only);
  if (anything || act_named(only)) draw_intruders(rng.fork("intruders"), plan, act_named(only));
  draw_reader(rng.fork("reader"), plan);
  return plan;
}

std::string describe(const Plan& plan) {
  std::string text;
  for (const NodePlan& node : plan.nodes) {
    text += "  " + node.name + " joins at " + seconds_text(node.joins) +
            (node.version == "test" ? "" : ", " + node.version) +
            (node.agreed == 0 ? "" : ", known by " + std::to_string(node.agreed) + " items") +
            (node.lie.empty() ? "" : ", lies") + (node.reloads ? ", loads slowly" : "") +
            (node.objects_to_model || node.objects_to_items ? ", objects" : "") +
            (node.healthy ? ", healthy" : "");
    for (const Act act : node.acts) text += std::string(", ") + to_string(act);
    if (node.careful) text += ", carefully";
    text += '\n';
  }
  for (const JobPlan& job : plan.jobs) {
    text += "  job " + job.model + ": " + std::to_string(job.items) + " items of " +
            std::to_string(job.tasks.size()) + " tasks, redundancy " +
            (job.adaptive ? "auto" : std::to_string(job.redundancy)) + ", at " +
            seconds_text(job.submitted) +
            (job.cancelled ? ", cancelled at " + seconds_text(*job.cancelled) : "") +
            (job.force ? ", forced again" : "") + "\n";
  }
  if (plan.freezing > Duration()) {
    text +=
        "  building requests takes up to " + std::to_string(plan.freezing.count() / 1000) + " ms\n";
  }
  if (plan.some_items_crash) text += "  some items crash every honest engine\n";
  text += "  lost " + std::to_string(plan.weather.lost_per_mille) + ", repeated " +
          std::to_string(plan.weather.repeated_per_mille) + ", late " +
          std::to_string(plan.weather.late_per_mille) + " per mille, jitter " +
          std::to_string(plan.weather.jitter.count()) + " us\n";
  for (const Fault& fault : plan.faults) {
    text += "  " + seconds_text(fault.at) + " to " + seconds_text(fault.until) + "  " +
            to_string(fault.kind) + " " + fault.node + (fault.for_good ? ", for good" : "") + "\n";
  }
  return text + "  healed at " + seconds_text(plan.healed) + "\n";
}

}  // namespace muster::sim
