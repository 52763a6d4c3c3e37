// `muster sim` without the rest of muster: what ./dev mutants builds again and again.
//   sim_seeds FIRST COUNT           stops at the first failure
//   sim_seeds FIRST COUNT KIND      only this fault or act, in every seed, and counts the failures;
//                                   "anything": what the seeds draw
//   sim_seeds FIRST ITEMS liars     the rates of wrong answers, as muster sim --liars
//   sim_seeds FIRST NODES nodes     what a large pool costs, as muster sim --nodes
#include <cstdio>
#include <cstdlib>
#include <string>

#include "sim/campaign.h"
#include "sim/detection.h"
#include "sim/liars.h"
#include "sim/plan.h"

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return 2;
  std::string only = argc == 4 ? argv[3] : "";
  const uint64_t first = std::strtoull(argv[1], nullptr, 10);
  const uint64_t count = std::strtoull(argv[2], nullptr, 10);
  if (only == "liars") return muster::sim::print_liars(count, first);
  if (only == "nodes") {
    return muster::sim::print_detection({.nodes = static_cast<int>(count), .seed = first});
  }
  if (only == "anything") only.clear();
  if (!only.empty() && !muster::sim::is_kind(only)) {
    std::fprintf(stderr, "'%s' is no fault and no act; src/sim/plan.cc and acts.cc list them\n",
                 only.c_str());
    return 2;
  }
  return muster::sim::run_campaign(
      {.seed = first, .count = count, .until_failure = argc == 3, .only = only});
}
