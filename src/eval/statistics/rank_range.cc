#include "eval/statistics/rank_range.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace muster::eval {
namespace {

// The ends of all rows that count, each ascending.
struct SortedEnds {
  std::vector<double> lows, highs;
};

// As if higher were better.
std::optional<Interval> turned(const std::optional<Interval>& row, BetterIs better) {
  if (!row || !std::isfinite(row->low) || !std::isfinite(row->high)) return std::nullopt;
  MUSTER_CHECK(row->low <= row->high);
  return better == BetterIs::kHigher ? *row : Interval{-row->high, -row->low};
}

SortedEnds sorted_ends(std::span<const std::optional<Interval>> rows) {
  SortedEnds ends;
  for (const auto& row : rows) {
    if (!row) continue;
    ends.lows.push_back(row->low);
    ends.highs.push_back(row->high);
  }
  std::sort(ends.lows.begin(), ends.lows.end());
  std::sort(ends.highs.begin(), ends.highs.end());
  return ends;
}

RankRange rank_range(const SortedEnds& ends, const Interval& row) {
  const auto better = std::upper_bound(ends.lows.begin(), ends.lows.end(), row.high);
  const auto not_worse = std::lower_bound(ends.highs.begin(), ends.highs.end(), row.low);
  return {1 + (ends.lows.end() - better), ends.highs.end() - not_worse};
}

}  // namespace

std::vector<std::optional<RankRange>> rank_ranges(std::span<const std::optional<Interval>> column,
                                                  BetterIs better) {
  std::vector<std::optional<Interval>> rows;
  for (const auto& row : column) rows.push_back(turned(row, better));
  const SortedEnds ends = sorted_ends(rows);
  std::vector<std::optional<RankRange>> ranges(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]) ranges[i] = rank_range(ends, *rows[i]);
  }
  return ranges;
}

}  // namespace muster::eval
