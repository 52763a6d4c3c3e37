#include <cstdlib>

#include "apps/daemon.h"
#include "sim/campaign.h"
#include "sim/detection.h"
#include "sim/large_job.h"
#include "sim/liars.h"
#include "sim/plan.h"

namespace muster::apps {

void add_sim_command(CLI::App& app, cli::Commands& commands) {
  auto options = std::make_shared<sim::CampaignOptions>();
  auto* command = app.add_subcommand("sim", "simulate whole pools under faults, one a seed");
  command->add_option("--seed", options->seed, "the first seed")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--count", options->count, "how many seeds")
      ->check(CLI::Range(1, 1'000'000'000))
      ->capture_default_str();
  command->add_flag("--trace", options->trace, "print every event");
  command->add_flag("--stats", options->stats, "print what each seed drew and took");
  command->add_flag("--probes", options->probes, "print how often each rare path was reached");
  command->add_flag("--digest", options->digest,
                    "print one number for the behaviour of all runs, to compare two versions");
  command->add_flag("--until_failure", options->until_failure, "stop at the first failure");
  command
      ->add_option("--only", options->only,
                   "one fault, nature or act in every seed and nothing else, by its name")
      ->check([](const std::string& name) {
        return sim::is_kind(name) ? "" : "'" + name + "' is none; docs/simulation.md lists them";
      });
  auto liars = std::make_shared<uint64_t>(0);
  command
      ->add_option("--liars", *liars,
                   "count wrong answers in pools with liars instead, over so many items each")
      ->check(CLI::Range(1, 1'000'000'000));
  auto detection = std::make_shared<sim::DetectionOptions>();
  auto* nodes =
      command
          ->add_option("--nodes", detection->nodes,
                       "measure instead how soon a server with so many nodes notices lost ones")
          ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--jobs", detection->jobs_over,
                   "with --nodes: so many jobs that are over in the server's database, and 50 that "
                   "go on; also print what a heartbeat costs it and what memory they take")
      ->check(CLI::Range(0, 10'000'000))
      ->needs(nodes);
  auto items = std::make_shared<int>(0);
  command
      ->add_option("--items", *items,
                   "run one job of so many items of 3 kB instead, and see what is on its way to "
                   "the stores")
      ->check(CLI::Range(1, 1'000'000));
  command->footer("Example:\n  muster sim --seed 1 --count 1000");
  commands["sim"] = [options, liars, detection, items]() -> Status {
    detection->seed = options->seed;
    const int code = *liars > 0             ? sim::print_liars(*liars, options->seed)
                     : detection->nodes > 0 ? sim::print_detection(*detection)
                     : *items > 0           ? sim::print_large_job(*items, options->seed)
                                            : sim::run_campaign(*options);
    if (code != 0) std::exit(code);  // 1 wrong, 3 stuck: these are the simulator's own.
    return {};
  };
}

}  // namespace muster::apps
