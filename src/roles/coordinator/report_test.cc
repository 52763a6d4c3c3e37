#include "roles/coordinator/report.h"

#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

constexpr Instant kStart{seconds(100)};

pb::JobProgress said(Report& report, Instant now) {
  pb::JobProgress progress;
  report.add_events(now, progress);
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
  report.note_event(kStart, "a", "failed");
  report.note_event(kStart + seconds(1), "b", "is gone");
  EXPECT_EQ(said(report, kStart + seconds(2)).events_size(), 2);
  const auto later = said(report, kStart + Report::kSaidFor);
  ASSERT_EQ(later.events_size(), 1);
  EXPECT_EQ(later.events(0).number(), 2u);
  EXPECT_EQ(later.events(0).machine(), "b");
  EXPECT_EQ(later.events(0).text(), "is gone");
}

TEST(Report, IsBounded) {
  Report report;
  for (size_t i = 0; i < 2 * Report::kMost; ++i) report.note_event(kStart, "a", "failed");
  const auto all = said(report, kStart);
  ASSERT_EQ(static_cast<size_t>(all.events_size()), Report::kMost);
  EXPECT_EQ(all.events(0).number(), Report::kMost + 1) << "the oldest went";
}

}  // namespace
}  // namespace muster::roles::coordinator
