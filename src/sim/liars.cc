#include "sim/liars.h"

#include <cmath>
#include <cstdio>
#include <unordered_set>

#include "eval/item.h"
#include "sim/collusion.h"
#include "sim/intruder.h"
#include "sim/overheard.h"
#include "sim/world.h"
#include "wire/envelope.h"
#include "wire/job_state.h"

namespace muster::sim {
namespace {

constexpr int kJobsAPool = 20;
constexpr uint64_t kKnownFor = 1000;  // Agreeing items of every machine where trust is on.
constexpr Duration kLongestJob = seconds(3600);

Result<std::shared_ptr<const roles::FrozenTasks>> one_long_task(const pb::JobRequest& request) {
  auto tasks = std::make_shared<roles::FrozenTasks>();
  tasks->push_back({.task = "tinyMMLU", .version = "0"});
  for (int64_t doc = 0; doc < static_cast<int64_t>(request.limit()); ++doc) {
    eval::Item item{.doc_id = doc};
    item.requests.push_back({request.model() + std::to_string(doc), " yes"});
    item.lengths.push_back(1);
    tasks->back().items.push_back(std::move(item));
  }
  return tasks;
}

using MachineRows = std::map<std::string, pb::MachineRow>;

// A pool for a few jobs. What is known of its machines goes on from one to the next.
class Run final : private Observer {
 public:
  Run(const LiarPool& pool, uint64_t seed, MachineRows machines, LiarOutcome& outcome)
      : pool_(pool), world_(seed, *this), outcome_(outcome) {
    world_.freeze = one_long_task;
    world_.lines.weather = {.least_delay = milliseconds(1), .jitter = milliseconds(1)};
    world_.server_options.quarantine_after = pool.quarantine_after;
    world_.lines.to_client = [this](const std::string&, const pb::Envelope& e) { hear(e); };
    add("server", pb::ROLE_FLAG_UNSPECIFIED);
    add("c1", pb::ROLE_FLAG_COORDINATOR);
    add("s1", pb::ROLE_FLAG_STORAGE);
    add("s2", pb::ROLE_FLAG_STORAGE);
    world_.node("server").database.machines = std::move(machines);
    for (int i = 0; i < pool.workers; ++i) add_worker(i);
    if (pool.lying_store) corrupt(world_.node("s1"), Act::kInventsVoters);
    for (auto& [name, node] : world_.nodes()) world_.start(*node);
  }

  MachineRows run() {
    world_.agenda.run_until(world_.now() + seconds(30));
    for (int i = 0; i < kJobsAPool && outcome_.settled + outcome_.below < pool_.items; ++i)
      if (!run_job()) break;
    outcome_.quarantined = outcome_.honest_quarantined = 0;
    for (const auto& [machine, row] : world_.node("server").database.machines) {
      if (!row.quarantined()) continue;
      ++outcome_.quarantined;
      const Node* node = world_.find(machine);  // Null: of a key that was made up.
      if (node != nullptr && node->engine.lie.empty() && !node->insider)
        ++outcome_.honest_quarantined;
    }
    return world_.node("server").database.machines;
  }

 private:
  Node& add(const std::string& name, pb::RoleFlag flag) {
    Node& node = world_.add(name, flag);
    node.disk.latency = milliseconds(2);
    return node;
  }

  void add_worker(int i) {
    const bool lies = i % (pool_.workers / pool_.liars) == 0;
    Node& node = add("w" + std::to_string(i), pb::ROLE_FLAG_COMPUTE);
    node.owner = lies && pool_.one_owner ? "liars" : node.name;
    node.engine.model_class = {.name = "exact"};
    if (lies) node.engine.lie = pool_.alike ? "the same" : node.name;
    if (lies && pool_.unasked) corrupt(node, Act::kAnswersUnasked);
    if (lies && pool_.colluding) collusion_.join(world_, node);
    // Ten seconds of an item are one item a shard; quick ones go in shards of many.
    node.engine.per_item = pool_.one_item_a_shard ? seconds(10) : milliseconds(100);
    node.engine.jitter = node.engine.per_item;
    pb::MachineRow& row = world_.node("server").database.machines[node.machine];
    if (!pool_.adaptive || !row.machine().empty()) return;
    row.set_machine(node.machine);
    row.set_agreed(kKnownFor);
  }

  void corrupt(Node& node, Act act) {
    auto intruder = std::make_unique<Intruder>(world_, node, overheard_, std::vector<Act>{act},
                                               true, world_.rng.fork(node.name));
    intruder->begin();
    node.insider = std::move(intruder);
  }

  // Whether there may be another one.
  bool run_job() {
    over_ = pb::JOB_STATE_UNSPECIFIED;
    pb::Envelope envelope = wire::envelope_to_server();
    pb::JobRequest& request = *envelope.mutable_submit()->mutable_request();
    request.set_model("ORG/model-" + std::to_string(++outcome_.jobs));
    request.add_tasks("tinyMMLU");
    request.set_limit(pool_.items_a_job);
    request.set_adaptive(pool_.adaptive);
    world_.lines.ask_server("researcher", envelope);
    const Instant limit = world_.now() + kLongestJob;
    while (over_ == pb::JOB_STATE_UNSPECIFIED && world_.agenda.run_next(limit)) {
    }
    outcome_.failed_jobs += over_ == pb::JOB_STATE_DONE ? 0 : 1;
    seen_.clear();
    return over_ != pb::JOB_STATE_UNSPECIFIED;
  }

  void hear(const pb::Envelope& envelope) {
    if (envelope.has_submit_reply()) {
      pb::Envelope watch = wire::envelope_to_server();
      watch.mutable_watch()->set_job(envelope.submit_reply().job());
      world_.lines.ask_server("researcher", watch);
    }
    if (!envelope.has_job_update()) return;
    const pb::JobState state = envelope.job_update().row().state();
    if (wire::is_over(state)) over_ = state;
  }

  void on_send(const Node&, const pb::Envelope& envelope) override {
    if (pool_.unasked || pool_.lying_store) overheard_.note(envelope);
  }

  void on_stored(const Node&, const roles::RecordChange& change) override {
    const auto* put = std::get_if<roles::PutRecords>(&change);
    if (put == nullptr) return;
    for (const roles::StoredRecord& stored : put->records) {
      if (!seen_.emplace(stored.digest.view()).second) continue;
      pb::SignedRecord signed_record;
      pb::Record record;
      signed_record.ParseFromString(stored.bytes);
      record.ParseFromString(signed_record.body());
      outcome_.answers += record.has_answer() ? 1 : 0;
      if (record.has_settled()) count(record.settled());
    }
  }

  void count(const pb::Settled& settled) {
    const std::string model = "ORG/model-" + std::to_string(outcome_.jobs);
    const Question question{model + std::to_string(settled.item()), " yes"};
    const bool wrong =
        !is_allowed("exact", {settled.responses().begin(), settled.responses().end()}, {question});
    const bool below = settled.votes_size() < 2;
    ++(below ? outcome_.below : outcome_.settled);
    if (wrong) ++(below ? outcome_.wrong_below : outcome_.wrong);
  }

  const LiarPool& pool_;
  World world_;
  Overheard overheard_;
  Collusion collusion_;
  pb::JobState over_ = pb::JOB_STATE_UNSPECIFIED;
  std::unordered_set<std::string> seen_;  // Records of the job that runs.
  LiarOutcome& outcome_;
};

// Whether a rate that was counted is the one that was computed.
bool is_near(double rate, double expected, uint64_t count) {
  const double error = std::sqrt(expected * (1 - expected) / static_cast<double>(count));
  return std::fabs(rate - expected) <= 3 * error;
}

int print_pool(const LiarPool& pool, uint64_t seed) {
  const LiarOutcome o = run_liars(pool, seed);
  const bool computed = pool.quarantine_after == 0;
  const double expected =
      pool.alike && !pool.one_owner ? expected_wrong(pool.liars, pool.workers) : 0;
  const double rate =
      static_cast<double>(o.wrong) / static_cast<double>(std::max<uint64_t>(1, o.settled));
  // Whoever is not asked has no vote, and whoever arranges its votes is found out all the same.
  const bool outvoted = !pool.unasked || o.wrong == 0;
  const bool found_out = !pool.colluding || rate * 4 < expected;
  const bool enough = o.settled + o.below >= pool.items;
  const bool good = enough && outvoted && found_out && o.honest_quarantined == 0 &&
                    (!computed || is_near(rate, expected, o.settled));
  char told[32] = "-";
  if (computed) std::snprintf(told, sizeof told, "%.6f", expected);
  std::printf("%-22s %9lu %7lu %9.6f %9s %7lu %7lu %9.3f %3lu/%-3lu %3lu+%lu%s\n",
              pool.name.c_str(), o.settled, o.wrong, rate, told, o.below, o.wrong_below,
              static_cast<double>(o.answers) / static_cast<double>(o.settled + o.below),
              o.failed_jobs, o.jobs, o.quarantined - o.honest_quarantined, o.honest_quarantined,
              good ? "" : "  NOT AS EXPECTED");
  std::fflush(stdout);
  return good ? 0 : 1;
}

}  // namespace

LiarOutcome run_liars(const LiarPool& pool, uint64_t seed) {
  LiarOutcome outcome;
  MachineRows machines;
  for (uint64_t before = 1; outcome.settled + outcome.below < pool.items && before > 0;) {
    before = outcome.settled + outcome.below;
    machines = Run(pool, seed++, std::move(machines), outcome).run();
    before = outcome.settled + outcome.below - before;
  }
  return outcome;
}

double expected_wrong(int k, int n) {
  const double kk = k, nn = n;
  return kk * (kk - 1) / (nn * (nn - 1)) +
         2 * kk * (nn - kk) * (kk - 1) / (nn * (nn - 1) * (nn - 2));
}

int print_liars(uint64_t items, uint64_t seed) {
  const uint64_t tenth = std::max<uint64_t>(1, items / 10);
  const LiarPool pools[] = {
      {.name = "independent", .items = items},
      {.name = "alike, an owner each", .alike = true, .one_item_a_shard = true, .items = tenth},
      {.name = "colluding, quarantine",
       .alike = true,
       .quarantine_after = 3,
       .one_item_a_shard = true,
       .colluding = true,
       .items = tenth},
      {.name = "alike, one owner",
       .alike = true,
       .one_owner = true,
       .one_item_a_shard = true,
       .items = tenth},
      {.name = "alike, quarantine",
       .alike = true,
       .quarantine_after = 3,
       .one_item_a_shard = true,
       .items = tenth},
      {.name = "independent, auto", .quarantine_after = 3, .adaptive = true, .items = tenth},
      {.name = "alike, auto",
       .alike = true,
       .quarantine_after = 3,
       .adaptive = true,
       .items = tenth},
      {.name = "a lying store",
       .quarantine_after = 3,
       .unasked = true,
       .lying_store = true,
       .items = items},
      {.name = "unasked answers", .quarantine_after = 3, .unasked = true, .items = tenth},
  };
  std::printf("%-22s %9s %7s %9s %9s %7s %7s %9s %7s %6s\n", "ten of a hundred lie", "settled",
              "wrong", "rate", "expected", "below", "wrong", "answers", "failed", "quar.");
  int code = 0;
  for (const LiarPool& pool : pools) code |= print_pool(pool, seed);
  return code;
}

}  // namespace muster::sim
