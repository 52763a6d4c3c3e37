#pragma once

#include <cstdint>
#include <string>

namespace muster::sim {

struct CampaignOptions {
  uint64_t seed = 1, count = 1;
  bool trace = false;          // Every event, on stdout.
  bool stats = false;          // What was drawn and took how long, and the medians.
  bool probes = false;         // How often each rare path was reached.
  bool digest = false;         // One number for all that was said and written: same seeds, same
                               // behaviour, same number.
  bool until_failure = false;  // Stop at the first.
  std::string only;            // One fault or act in every seed, and nothing else; plan.h.
};

// Runs one simulation a seed and prints what failed (stderr) and how many passed (stdout, the last
// line). One run in sixteen is made twice and must be the same. Returns the exit code, that of the
// first failure: 0 all passed, 1 wrong, 3 stuck; a broken invariant ends the process with 4.
int run_campaign(const CampaignOptions& options);

}  // namespace muster::sim
