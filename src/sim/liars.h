#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"

namespace muster::sim {

// A pool in which nothing fails, but some machines answer wrongly, always.
struct LiarPool {
  std::string name;
  int workers = 100, liars = 10;
  bool alike = false;             // All say the same wrong thing; else each its own.
  bool one_owner = false;         // All liars have one owner; else every machine its own.
  uint32_t quarantine_after = 0;  // Times outvoted; 0: never.
  bool adaptive = false;          // --redundancy auto, and every machine is trusted at first.
  bool one_item_a_shard = false;
  bool unasked = false;      // The liars answer every item at once, asked or not.
  bool colluding = false;    // They arrange who of them answers what, and when.
  bool lying_store = false;  // One store of the two invents voters and feeds nothing else.
  uint64_t items = 0;        // To settle at least.
  int items_a_job = 500;
};

struct LiarOutcome {
  uint64_t settled = 0;  // On as many votes as were wanted.
  uint64_t wrong = 0;    // Of those: a value that no honest machine gives.
  uint64_t below = 0;    // Settled on fewer votes.
  uint64_t wrong_below = 0;
  uint64_t answers = 0;  // That became durable, an answer on two stores counting once.
  uint64_t jobs = 0, failed_jobs = 0;
  uint64_t quarantined = 0;  // Machines, at the end.
  uint64_t honest_quarantined = 0;
};

// Runs job after job until enough items are settled, or no more are: a job that is not over after
// an hour ends its pool and has failed. A pure function of its arguments; about 0.2 ms an item.
LiarOutcome run_liars(const LiarPool& pool, uint64_t seed);

// The share of items that k of n machines who lie alike get settled wrongly by two votes of
// distinct machines, drawn at random: both of the first two are liars, or one of them and the
// third.
double expected_wrong(int k, int n);

// Runs the pools that docs/simulation.md tells of and prints a line each: independent liars, and
// the lying store, until `items` are settled, the others until a tenth of that. The exit code: 0
// when every rate is what it should be, else 1.
int print_liars(uint64_t items, uint64_t seed);

}  // namespace muster::sim
