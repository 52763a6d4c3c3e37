// `muster sim` without the rest of muster: what ./dev mutants builds again and again.
//   sim_seeds FIRST COUNT     stops at the first failure
#include <cstdlib>

#include "sim/campaign.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return muster::sim::run_campaign({.seed = std::strtoull(argv[1], nullptr, 10),
                                    .count = std::strtoull(argv[2], nullptr, 10),
                                    .until_failure = true});
}
