#include "roles/server/pending.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};

pb::View view_of(uint64_t number) {
  pb::View view;
  view.set_number(number);
  return view;
}

class PendingTest : public testing::Test {
 protected:
  // The latest write's outcome.
  std::optional<Pending<pb::View>::Settled> settle(Outcome outcome, Instant now = kStart) {
    return pending_.settle(now, {effects_.commits.back().id, outcome, ""});
  }
  std::vector<uint64_t> written() const {
    std::vector<uint64_t> numbers;
    for (const Commit& write : effects_.commits) {
      numbers.push_back(std::get<SaveView>(write.changes.at(0)).view.number());
    }
    return numbers;
  }

  WriteIds ids_;
  Pending<pb::View> pending_{ids_};
  Effects effects_;
};

using Numbers = std::vector<uint64_t>;

TEST_F(PendingTest, ARowComesBackWithItsOutcomeOnce) {
  for (const Outcome outcome : {Outcome::kDone, Outcome::kFailed}) {
    pending_.write(view_of(7), effects_);
    EXPECT_EQ(pending_.size(), 1u);
    const auto settled = settle(outcome);
    ASSERT_TRUE(settled && settled->row);
    EXPECT_EQ(settled->outcome, outcome);
    EXPECT_EQ(settled->row->number(), 7u);
    EXPECT_TRUE(pending_.empty());
    EXPECT_FALSE(settle(outcome)) << "it was settled";
  }
  EXPECT_FALSE(pending_.settle(kStart, {99, Outcome::kDone, ""})) << "another's";
}

// The second attempt may fail for certain: the first one's row may be there all the same.
TEST_F(PendingTest, WhatMayBeThereIsWrittenUntilItIs) {
  pending_.write(view_of(7), effects_);
  Instant now = kStart;
  for (const Outcome outcome : {Outcome::kUnknown, Outcome::kFailed, Outcome::kUnknown}) {
    const auto settled = settle(outcome, now);
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->outcome, Outcome::kUnknown);
    EXPECT_FALSE(settled->row);
    EXPECT_EQ(pending_.size(), 1u);
    const size_t before = effects_.commits.size();
    effects_.wake_at.reset();
    pending_.keep(now + kRepeatEvery - milliseconds(1), effects_);
    EXPECT_EQ(effects_.commits.size(), before);
    EXPECT_EQ(effects_.wake_at, now + kRepeatEvery);
    now += kRepeatEvery;
    pending_.keep(now, effects_);
    EXPECT_EQ(effects_.commits.size(), before + 1);
  }
  EXPECT_EQ(written(), (Numbers{7, 7, 7, 7}));
  const auto settled = settle(Outcome::kDone, now);
  ASSERT_TRUE(settled && settled->row);
  EXPECT_EQ(settled->row->number(), 7u);
  EXPECT_TRUE(pending_.empty());
}

TEST_F(PendingTest, WhatIsDueIsWrittenInTheOrderInWhichItWasPutOff) {
  pending_.put_off(kStart + seconds(3), view_of(1));
  pending_.put_off(kStart + seconds(1), view_of(2));
  pending_.put_off(kStart, view_of(3));
  pending_.keep(kStart + seconds(1), effects_);
  EXPECT_EQ(written(), (Numbers{2, 3}));
  EXPECT_EQ(effects_.wake_at, kStart + seconds(3));
  EXPECT_TRUE(pending_.holds([](const pb::View& view) { return view.number() == 1; }));
  EXPECT_TRUE(pending_.holds([](const pb::View& view) { return view.number() == 2; }));
  EXPECT_FALSE(pending_.holds([](const pb::View& view) { return view.number() == 4; }));
  EXPECT_EQ(pending_.size(), 3u);
}

}  // namespace
}  // namespace muster::roles::server
