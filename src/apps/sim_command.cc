#include <unistd.h>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "apps/daemon.h"
#include "base/probe.h"
#include "sim/simulation.h"

namespace muster::apps {
namespace {

struct Options {
  uint64_t seed = 1, count = 1;
  bool trace = false, stats = false, show_probes = false;
};

uint64_t running_seed = 0;

// A broken invariant of the roles ends the process; which seed it was must still be said.
void on_abort(int) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "seed %lu CRASHED\n",
                              static_cast<unsigned long>(running_seed));
  if (::write(2, text, static_cast<size_t>(n)) < 0) _exit(4);
  _exit(4);
}

const char* word(sim::Simulation::Verdict verdict) {
  return verdict == sim::Simulation::Verdict::kWrong ? "WRONG" : "STUCK";
}

void print_failure(uint64_t seed, const sim::Plan& plan, const sim::Simulation& simulation,
                   sim::Simulation::Verdict verdict) {
  std::fprintf(stderr, "seed %lu %s (muster %s): %s\n%s", static_cast<unsigned long>(seed),
               word(verdict), MUSTER_VERSION, simulation.why().c_str(), describe(plan).c_str());
}

// Runs the seeds; the exit code is that of the first failure: 1 wrong, 3 stuck, 4 crashed.
int simulate(const Options& options) {
  std::signal(SIGABRT, on_abort);
  int code = 0;
  uint64_t passed = 0, failed = 0;
  for (uint64_t seed = options.seed; seed < options.seed + options.count; ++seed) {
    running_seed = seed;
    const sim::Plan plan = sim::draw_plan(seed);
    std::string trace;
    const auto begun = std::chrono::steady_clock::now();
    sim::Simulation simulation(plan, options.trace ? &trace : nullptr);
    const auto verdict = simulation.run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    std::fputs(trace.c_str(), stdout);
    if (options.stats) {
      std::printf(
          "seed %lu: %zu machines, %zu jobs, %zu faults, %lu steps, %.1f s virtual, %.1f ms\n",
          static_cast<unsigned long>(seed), plan.nodes.size(), plan.jobs.size(), plan.faults.size(),
          static_cast<unsigned long>(simulation.steps()), to_seconds(simulation.lasted()),
          took.count() * 1e3);
    }
    // Some runs are made twice: the same seed must give the very same run.
    if (seed % 16 == 0 && verdict == sim::Simulation::Verdict::kPassed) {
      sim::Simulation again(plan);
      again.run();
      if (again.digest() != simulation.digest()) {
        std::fprintf(stderr, "seed %lu WRONG: two runs of it differ\n",
                     static_cast<unsigned long>(seed));
        ++failed;
        code = code == 0 ? 1 : code;
        continue;
      }
    }
    if (verdict == sim::Simulation::Verdict::kPassed) {
      ++passed;
      continue;
    }
    ++failed;
    if (code == 0) code = verdict == sim::Simulation::Verdict::kWrong ? 1 : 3;
    print_failure(seed, plan, simulation, verdict);
  }
  if (options.show_probes) {
    for (const Probe& probe : probes()) {
      std::printf("%12lu  %s\n", static_cast<unsigned long>(probe.reached), probe.name);
    }
  }
  std::printf("%lu passed, %lu failed\n", static_cast<unsigned long>(passed),
              static_cast<unsigned long>(failed));
  return code;
}

}  // namespace

void add_sim_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("sim", "simulate whole pools under faults, one a seed");
  command->add_option("--seed", options->seed, "the first seed")->capture_default_str();
  command->add_option("--count", options->count, "how many seeds")->capture_default_str();
  command->add_flag("--trace", options->trace, "print every event");
  command->add_flag("--stats", options->stats, "print what each seed drew and took");
  command->add_flag("--probes", options->show_probes, "print how often each rare path was reached");
  command->footer("Example:\n  muster sim --seed 1 --count 1000");
  commands["sim"] = [options]() -> Status {
    const int code = simulate(*options);
    if (code != 0) std::exit(code);
    return {};
  };
}

}  // namespace muster::apps
