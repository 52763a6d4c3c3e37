#include "roles/coordinator/report.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

constexpr Instant kStart{seconds(100)};

pb::JobProgress said(Report& report, Instant now) {
  pb::JobProgress progress;
  report.add_happenings(now, progress);
  return progress;
}

TEST(Report, IsDueOnceInAWhile) {
  Report report;
  Effects effects;
  EXPECT_TRUE(report.begin(kStart, effects));
  EXPECT_FALSE(report.begin(kStart + Report::kEvery / 2, effects));
  EXPECT_EQ(effects.wake_at, kStart + Report::kEvery);
  EXPECT_TRUE(report.begin(kStart + Report::kEvery, effects));
}

TEST(Report, SaysEachThingForAWhileUnderItsNumber) {
  Report report;
  report.happened(kStart, "a", "failed");
  report.happened(kStart + seconds(1), "b", "is gone");
  EXPECT_EQ(said(report, kStart + seconds(2)).happenings_size(), 2);
  const auto later = said(report, kStart + Report::kSaidFor);
  ASSERT_EQ(later.happenings_size(), 1);
  EXPECT_EQ(later.happenings(0).number(), 2u);
  EXPECT_EQ(later.happenings(0).machine(), "b");
  EXPECT_EQ(later.happenings(0).text(), "is gone");
}

TEST(Report, IsBounded) {
  Report report;
  for (size_t i = 0; i < 2 * Report::kMost; ++i) report.happened(kStart, "a", "failed");
  const auto all = said(report, kStart);
  ASSERT_EQ(static_cast<size_t>(all.happenings_size()), Report::kMost);
  EXPECT_EQ(all.happenings(0).number(), Report::kMost + 1) << "the oldest went";
}

}  // namespace
}  // namespace muster::roles::coordinator
