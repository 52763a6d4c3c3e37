#include "sim/campaign.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/probe.h"
#include "base/rng.h"
#include "sim/simulation.h"

namespace muster::sim {
namespace {

using Verdict = Simulation::Verdict;

unsigned long running_seed = 0;

// A broken invariant of the roles ends the process; which seed it was must still be said.
void on_abort(int) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "seed %lu CRASHED\n", running_seed);
  if (::write(2, text, static_cast<size_t>(n)) < 0) _exit(4);  // Nobody can be told.
  _exit(4);
}

const char* commit() {
  const char* known = std::getenv("MUSTER_COMMIT");  // ./dev sim sets it.
  return known == nullptr ? "muster " MUSTER_VERSION : known;
}

struct Drawn {
  size_t machines, jobs, items, faults;
  double milliseconds;
};

Drawn drawn_by(const Plan& plan, double milliseconds) {
  size_t items = 0;
  for (const JobPlan& job : plan.jobs) items += static_cast<size_t>(job.items) * job.tasks.size();
  return {plan.nodes.size(), plan.jobs.size(), items, plan.faults.size(), milliseconds};
}

template <typename Field>
double median(std::vector<Drawn> all, Field field) {
  std::sort(all.begin(), all.end(), [&](const Drawn& a, const Drawn& b) {
    return std::invoke(field, a) < std::invoke(field, b);
  });
  return static_cast<double>(std::invoke(field, all[all.size() / 2]));
}

class Campaign {
 public:
  explicit Campaign(const CampaignOptions& options) : options_(options) {}

  int run() {
    for (uint64_t seed = options_.seed; seed < options_.seed + options_.count; ++seed) {
      run_seed(seed);
      if (failed_ > 0 && options_.until_failure) break;
    }
    if (options_.stats && !drawn_.empty()) print_medians();
    if (options_.probes) print_probes();
    if (options_.digest) std::printf("digest %016lx\n", static_cast<unsigned long>(digest_));
    std::printf("%lu passed, %lu failed\n", passed_, failed_);
    return code_;
  }

 private:
  void run_seed(uint64_t seed) {
    running_seed = seed;
    const Plan plan = draw_plan(seed, options_.only);
    std::string trace;
    const auto begun = std::chrono::steady_clock::now();
    Simulation simulation(plan, options_.trace ? &trace : nullptr);
    const Verdict verdict = simulation.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::fputs(trace.c_str(), stdout);
    note(seed, drawn_by(plan, took.count() * 1e3), simulation);
    digest_ = Rng(digest_ ^ simulation.digest()).next();
    if (verdict != Verdict::kPassed) return fail(plan, verdict, simulation.why());
    if (seed % 16 == 0 && !repeats(plan, simulation)) {
      return fail(plan, Verdict::kWrong, "two runs of this seed differ");
    }
    ++passed_;
  }

  static bool repeats(const Plan& plan, const Simulation& simulation) {
    Simulation again(plan);
    again.run();
    return again.digest() == simulation.digest();
  }

  void note(uint64_t seed, const Drawn& drawn, const Simulation& simulation) {
    if (!options_.stats) return;
    drawn_.push_back(drawn);
    std::printf(
        "seed %lu: %zu machines, %zu jobs, %zu items, %zu faults, %lu steps, %.1f s virtual, "
        "%.1f ms\n",
        static_cast<unsigned long>(seed), drawn.machines, drawn.jobs, drawn.items, drawn.faults,
        static_cast<unsigned long>(simulation.steps()), to_seconds(simulation.lasted()),
        drawn.milliseconds);
  }

  void fail(const Plan& plan, Verdict verdict, const std::string& why) {
    ++failed_;
    if (code_ == 0) code_ = verdict == Verdict::kWrong ? 1 : 3;
    std::fprintf(stderr, "seed %lu %s (%s): %s\n%s", static_cast<unsigned long>(plan.seed),
                 verdict == Verdict::kWrong ? "WRONG" : "STUCK", commit(), why.c_str(),
                 describe(plan).c_str());
  }

  void print_medians() const {
    std::printf("median: %.0f machines, %.0f jobs, %.0f items, %.0f faults, %.1f ms\n",
                median(drawn_, &Drawn::machines), median(drawn_, &Drawn::jobs),
                median(drawn_, &Drawn::items), median(drawn_, &Drawn::faults),
                median(drawn_, &Drawn::milliseconds));
  }

  static void print_probes() {
    for (const Probe& probe : probes()) {
      std::printf("%12lu  %s\n", static_cast<unsigned long>(probe.reached), probe.name);
    }
  }

  const CampaignOptions& options_;
  unsigned long passed_ = 0, failed_ = 0;
  int code_ = 0;
  uint64_t digest_ = 0;
  std::vector<Drawn> drawn_;
};

}  // namespace

int run_campaign(const CampaignOptions& options) {
  std::signal(SIGABRT, on_abort);
  return Campaign(options).run();
}

}  // namespace muster::sim
