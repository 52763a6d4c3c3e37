#include "sim/detection.h"

#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>

#include "base/digest.h"
#include "sim/history.h"
#include "sim/stand_in_tasks.h"
#include "sim/world.h"
#include "wire/envelope.h"
#include "wire/short_id.h"

namespace muster::sim {
namespace {

constexpr int kStruck = 100;  // Of each kind.
// Jobs that go on. Their coordinator builds their requests until the end: what they cost is the
// server's part of them alone.
constexpr int kGoingOn = 50;
constexpr Duration kFreezing = seconds(1'000'000'000);

// Of this thread: what else the machine does meanwhile is not in it.
double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Of this process, resident.
double memory_mib() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

class Run final : private Observer {
 public:
  explicit Run(const DetectionOptions& options) : options_(options), world_(options.seed, *this) {
    world_.lines.weather = {.least_delay = milliseconds(1), .jitter = milliseconds(500)};
    add("server", pb::ROLE_FLAG_UNSPECIFIED);
    add("s1", pb::ROLE_FLAG_STORAGE);
    add("s2", pb::ROLE_FLAG_STORAGE);
    for (int i = 0; i < options.nodes; ++i) {
      Node& node = add("w" + std::to_string(i), pb::ROLE_FLAG_COMPUTE);
      node.clock_drift_ppm = static_cast<int64_t>(world_.rng.below(40'001)) - 20'000;
    }
    if (options.jobs_over) add_jobs(*options.jobs_over);
    start();
  }

  Detection run() {
    world_.lines.reconnect = false;
    world_.agenda.run_until(world_.now() + seconds(40));
    world_.around_step = [this](const Node& node, const auto& step) { time(node, step); };
    for (int i = 0; i < 2 * kStruck && i < options_.nodes; ++i) {
      Node& node = world_.node("w" + std::to_string(i));
      const auto wait = Duration(static_cast<int64_t>(world_.rng.below(10'000'000)));
      world_.agenda.in(wait, [this, &node, closes = i % 2 == 0] { strike(node, closes); });
    }
    world_.agenda.run_until(world_.now() + seconds(30));
    outcome_.mib_at_end = memory_mib();
    return outcome_;
  }

 private:
  struct Strike {
    Instant at;
    bool closes;
  };

  Node& add(const std::string& name, pb::RoleFlag flag) {
    Node& node = world_.add(name, flag);
    node.disk.latency = milliseconds(2);
    return node;
  }

  // The pool is old enough to have a history.
  void add_jobs(int over) {
    world_.agenda.run_until(Instant(2 * kHistory));
    world_.freezing = kFreezing;
    add("c1", pb::ROLE_FLAG_COORDINATOR);
    ServerDisk& database = world_.node("server").database;
    const int64_t now_ms = world_.now().time_since_epoch().count() / 1000;
    add_jobs_that_are_over(database, over, now_ms);
    add_jobs_that_go_on(database, kGoingOn, now_ms);
  }

  void start() {
    outcome_.mib_before = memory_mib();
    world_.start(world_.node("server"));
    outcome_.mib_started = memory_mib();
    for (auto& [name, node] : world_.nodes()) {
      if (!node->is_server()) world_.start(*node);
    }
  }

  void time(const Node& node, const std::function<void()>& step) {
    if (!node.is_server()) return step();
    const double begun = cpu_seconds();
    step();
    outcome_.server_seconds += cpu_seconds() - begun;
  }

  void strike(Node& node, bool closes) {
    strikes_[wire::short_id(node.machine)] = {world_.now(), closes};
    ++(closes ? outcome_.lines_closed : outcome_.silent);
    if (closes) return world_.kill(node);
    node.line.cut_up = node.line.cut_down = true;
  }

  void on_send(const Node& node, const pb::Envelope& envelope) override {
    const bool counts = world_.around_step && !node.is_server() && envelope.has_heartbeat();
    outcome_.heartbeats += counts ? 1 : 0;
  }

  // "machine 0123abcd is gone: ..."
  void on_note(const Node& node, const roles::Note& note) override {
    const size_t gone = note.text.find(" is gone: ");
    if (!node.is_server() || gone == std::string::npos) return;
    auto strike = strikes_.find(note.text.substr(gone - 8, 8));
    if (strike == strikes_.end()) {
      ++outcome_.wrongly;
      return;
    }
    const Duration took = world_.now() - strike->second.at;
    const bool closes = strike->second.closes;
    Duration& longest = closes ? outcome_.longest_closed : outcome_.longest_silence;
    longest = std::max(longest, took);
    ++(closes ? outcome_.noticed_closed : outcome_.noticed_silent);
    strikes_.erase(strike);
  }

  DetectionOptions options_;
  World world_;
  std::map<std::string, Strike> strikes_;  // By short id.
  Detection outcome_;
};

// One job among many machines. What the server does is timed from outside: each event of the
// agenda.
class JobRun final : private Observer {
 public:
  JobRun(int nodes, int history, uint64_t seed) : world_(seed, *this) {
    world_.lines.weather = {.least_delay = milliseconds(1), .jitter = milliseconds(20)};
    world_.freeze = stand_in_tasks;
    world_.lines.to_client = [this](const std::string&, const pb::Envelope& e) { hear(e); };
    world_.add("server", pb::ROLE_FLAG_UNSPECIFIED).disk.latency = milliseconds(2);
    world_.add("c1", pb::ROLE_FLAG_COORDINATOR);
    for (const char* store : {"s1", "s2"}) world_.add(store, pb::ROLE_FLAG_STORAGE);
    for (int i = 0; i < nodes; ++i) world_.add("w" + std::to_string(i), pb::ROLE_FLAG_COMPUTE);
    for (int i = 0; i < history; ++i) remember(i);
    for (auto& [name, node] : world_.nodes()) world_.start(*node);
  }

  LargePoolCost run() {
    run_until(world_.now() + seconds(20), [] { return false; });
    steps_ = 0;
    sum_ = 0;
    const Instant asked = world_.now();
    submit();
    run_until(world_.now() + kLongest, [this] { return cost_.job_done; });
    cost_.took = world_.now() - asked;
    cost_.mean_step = sum_ / static_cast<double>(std::max<uint64_t>(1, steps_));
    return cost_;
  }

 private:
  static constexpr Duration kLongest = seconds(120);

  void remember(int number) {
    pb::JobRow row;
    row.set_job(to_hex(sha256(std::to_string(number)).view()).substr(0, 16));
    row.set_run(1);
    row.set_epoch(1);
    row.set_state(pb::JOB_STATE_DONE);
    row.mutable_request()->set_model("ORG/model-" + std::to_string(number));
    world_.node("server").database.rows[row.job()] = row;
  }
  void submit() {
    pb::Envelope envelope = wire::envelope_to_server();
    pb::JobRequest& request = *envelope.mutable_submit()->mutable_request();
    request.set_model("ORG/model");
    request.add_tasks("tinyMMLU");
    request.set_limit(100);
    world_.lines.ask_server("researcher", envelope);
  }
  void hear(const pb::Envelope& envelope) {
    if (envelope.has_submit_reply()) {
      pb::Envelope watch = wire::envelope_to_server();
      watch.mutable_watch()->set_job(envelope.submit_reply().job());
      world_.lines.ask_server("researcher", watch);
    }
    cost_.job_done |= envelope.job_update().row().state() == pb::JOB_STATE_DONE;
  }
  template <typename Over>
  void run_until(Instant limit, Over over) {
    auto begun = std::chrono::steady_clock::now();
    while (!over() && world_.agenda.run_next(limit)) {
      const auto ended = std::chrono::steady_clock::now();
      const double took =
          std::chrono::duration<double>(ended - std::exchange(begun, ended)).count();
      cost_.longest_step = std::max(cost_.longest_step, took);
      sum_ += took;
      ++steps_;
    }
  }

  World world_;
  LargePoolCost cost_;
  double sum_ = 0;
  uint64_t steps_ = 0;
};

bool print_cost(int nodes, int history, uint64_t seed) {
  const LargePoolCost cost = measure_large_pool(nodes, history, seed);
  std::printf(
      "%d nodes, %d finished jobs: a job %s in %.1f s; a step costs %.0f us, the longest %.3f s\n",
      nodes, history, cost.job_done ? "is done" : "is NOT done", to_seconds(cost.took),
      cost.mean_step * 1e6, cost.longest_step);
  std::fflush(stdout);
  return cost.job_done;
}

void print_cost_of_jobs(const DetectionOptions& options, const Detection& d) {
  std::printf("%d nodes, %d jobs over, %d going on: ", options.nodes, *options.jobs_over, kGoingOn);
  std::printf("a heartbeat costs %.2f us of the server's CPU time, over %lu\n",
              d.server_seconds * 1e6 / static_cast<double>(std::max<uint64_t>(1, d.heartbeats)),
              static_cast<unsigned long>(d.heartbeats));
  std::printf("%d nodes, %d jobs over, %d going on: ", options.nodes, *options.jobs_over, kGoingOn);
  std::printf("%.0f MiB with the database, %.0f MiB with a server on it, %.0f MiB at the end\n",
              d.mib_before, d.mib_started, d.mib_at_end);
}

bool print_detected(const DetectionOptions& options) {
  const Detection d = measure_detection(options);
  std::printf("%d nodes: %d of %d closed lines noticed, the last after %.3f s (limit 1 s)\n",
              options.nodes, d.noticed_closed, d.lines_closed, to_seconds(d.longest_closed));
  std::printf("%d nodes: %d of %d silences noticed, the last after %.3f s (limit 10 s)\n",
              options.nodes, d.noticed_silent, d.silent, to_seconds(d.longest_silence));
  std::printf("%d nodes: %d healthy ones taken for lost\n", options.nodes, d.wrongly);
  if (options.jobs_over) print_cost_of_jobs(options, d);
  std::fflush(stdout);
  return d.noticed_closed == d.lines_closed && d.noticed_silent == d.silent &&
         d.longest_closed <= seconds(1) && d.longest_silence <= seconds(10) && d.wrongly == 0;
}

}  // namespace

LargePoolCost measure_large_pool(int nodes, int history, uint64_t seed) {
  return JobRun(nodes, history, seed).run();
}

Detection measure_detection(const DetectionOptions& options) { return Run(options).run(); }

int print_detection(const DetectionOptions& options) {
  bool good = print_detected(options);
  for (const int history : {0, 1000, 10'000}) good &= print_cost(100, history, options.seed);
  good &= print_cost(options.nodes, 0, options.seed);
  return good ? 0 : 1;
}

}  // namespace muster::sim
