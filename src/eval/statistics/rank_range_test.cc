#include "eval/statistics/rank_range.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/rng.h"

namespace muster::eval {
namespace {

using Column = std::vector<std::optional<Interval>>;
using Ranges = std::vector<std::optional<RankRange>>;

bool has_rank(const std::optional<Interval>& row) {
  return row && std::isfinite(row->low) && std::isfinite(row->high);
}

bool is_surely_better(const Interval& one, const Interval& other, BetterIs better) {
  return better == BetterIs::kHigher ? one.low > other.high : one.high < other.low;
}

// The slow twin: every row against every other. Whoever is not surely worse may be before me.
Ranges slow_ranges(const Column& column, BetterIs better) {
  Ranges ranges;
  for (const auto& mine : column) {
    RankRange range{1, 0};
    for (const auto& other : column) {
      if (!has_rank(mine) || !has_rank(other)) continue;
      if (is_surely_better(*other, *mine, better)) ++range.best;
      if (!is_surely_better(*mine, *other, better)) ++range.worst;
    }
    ranges.push_back(has_rank(mine) ? std::optional(range) : std::nullopt);
  }
  return ranges;
}

// Few different ends, so that many touch; now and then a row without a rank.
Column random_column(Rng& rng) {
  const uint64_t ends = 1 + rng.below(40);
  Column column(rng.below(60));
  for (auto& row : column) {
    const auto low = static_cast<double>(rng.below(ends)) - 20;
    row = Interval{low, low + static_cast<double>(rng.below(ends))};
    if (rng.below(9) == 0) row.reset();
    if (rng.below(9) == 0) row = Interval{low, std::numeric_limits<double>::infinity()};
    if (rng.below(9) == 0) row = Interval{std::nan(""), std::nan("")};
  }
  return column;
}

TEST(RankRange, EqualsItsSlowTwin) {
  Rng rng(1);
  for (int i = 0; i < 3000; ++i) {
    const Column column = random_column(rng);
    for (BetterIs better : {BetterIs::kHigher, BetterIs::kLower}) {
      ASSERT_EQ(rank_ranges(column, better), slow_ranges(column, better)) << "column " << i;
    }
  }
}

TEST(RankRange, ThreeThatOverlapAndOneThatDoesNot) {
  const Column column = {{{0.36, 0.40}}, {{0.35, 0.39}}, {{0.34, 0.38}}, {{0.23, 0.25}}};
  EXPECT_EQ(rank_ranges(column, BetterIs::kHigher),
            (Ranges{{{1, 3}}, {{1, 3}}, {{1, 3}}, {{4, 4}}}));
  EXPECT_EQ(rank_ranges(column, BetterIs::kLower),
            (Ranges{{{2, 4}}, {{2, 4}}, {{2, 4}}, {{1, 1}}}));
}

TEST(RankRange, ATieIsBetweenTwoRowsAndNoGroup) {
  const Column chain = {{{4, 6}}, {{2, 4.5}}, {{0, 2.5}}};
  EXPECT_EQ(rank_ranges(chain, BetterIs::kHigher), (Ranges{{{1, 2}}, {{1, 3}}, {{2, 3}}}));
}

TEST(RankRange, EndsThatTouchAreATie) {
  const Column column = {{{0.5, 0.7}}, {{0.3, 0.5}}};
  EXPECT_EQ(rank_ranges(column, BetterIs::kHigher), (Ranges{{{1, 2}}, {{1, 2}}}));
}

TEST(RankRange, ARowWithoutAnIntervalHasNoRankAndCostsNobodyOne) {
  const double infinite = std::numeric_limits<double>::infinity();
  const Column column = {std::nullopt, {{1, 2}}, {{std::nan(""), 9}}, {{3, 4}}, {{5, infinite}}};
  const Ranges want = {std::nullopt, {{2, 2}}, std::nullopt, {{1, 1}}, std::nullopt};
  EXPECT_EQ(rank_ranges(column, BetterIs::kHigher), want);
}

TEST(RankRange, OfOneRowAndOfNone) {
  EXPECT_EQ(rank_ranges(Column{{{1, 1}}}, BetterIs::kLower), (Ranges{{{1, 1}}}));
  EXPECT_TRUE(rank_ranges({}, BetterIs::kHigher).empty());
  EXPECT_DEATH(rank_ranges(Column{{{2, 1}}}, BetterIs::kHigher), "invariant");
}

}  // namespace
}  // namespace muster::eval
