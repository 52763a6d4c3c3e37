#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "eval/statistics/interval.h"

namespace muster::eval {

enum class BetterIs { kHigher, kLower };  // Accuracy; perplexity.

// The ranks that a row of a leaderboard may have, as far as its column's intervals tell: 1 is the
// best, and best <= worst. Printed "1-3", or "4" where both are equal.
struct RankRange {
  int64_t best = 1, worst = 1;

  bool operator==(const RankRange&) const = default;
};

// One range a row, in the order of the rows:
//
//   best   1 + how many rows have their lower end above my upper end
//   worst  how many rows have their upper end not below my lower end; I am one of them
//
// and the mirror of it where lower is better. Ends that touch are a tie. A tie is between two rows:
// that a ties with b and b with c says nothing of a and c, hence no groups. Hand over the whole
// column and filter afterwards, so that nobody's rank depends on what is shown.
//
// A row without an interval, or with an end that is not finite, has no rank and does not count in
// the others': nothing is known of how sure its value is. In an interval low <= high (checked).
//
// Stricter than a test: intervals may overlap where a test in pairs sees a difference (N. Schenker,
// J. F. Gentleman, The American Statistician 55(3), 2001, pp. 182-186).
// Costs O(n log n). Source of `best`: lm-sys/FastChat, fastchat/serve/monitor/monitor.py.
std::vector<std::optional<RankRange>> rank_ranges(std::span<const std::optional<Interval>> column,
                                                  BetterIs better);

}  // namespace muster::eval
