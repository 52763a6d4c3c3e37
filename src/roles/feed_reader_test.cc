#include "roles/feed_reader.h"

#include <gtest/gtest.h>

namespace muster::roles {
namespace {

pb::Feed batch(uint64_t from, uint64_t next, uint64_t view, bool at_end = false) {
  pb::Feed feed;
  feed.set_from(from);
  feed.set_next(next);
  feed.set_view(view);
  feed.set_at_end(at_end);
  return feed;
}

TEST(FeedReader, AsksAgainUntilTheNextBatchComes) {
  FeedReader reader;
  Effects effects;
  const pb::Subscribe* asked = reader.ask(Instant(), "s1", {"job", 2}, effects);
  ASSERT_NE(asked, nullptr);
  EXPECT_EQ(asked->job(), "job");
  EXPECT_EQ(asked->run(), 2u);
  EXPECT_EQ(asked->cursor(), 0u);
  EXPECT_EQ(effects.send[0].envelope.to().machine(), "s1");
  EXPECT_EQ(effects.wake_at, Instant() + kRepeatEvery);
  EXPECT_EQ(reader.ask(Instant(), "s1", {"job", 2}, effects), nullptr);
  EXPECT_NE(reader.ask(Instant() + kRepeatEvery, "s1", {"job", 2}, effects), nullptr);

  reader.advance(batch(0, 7, 0));
  asked = reader.ask(Instant() + kRepeatEvery, "s1", {"job", 2}, effects);
  ASSERT_NE(asked, nullptr) << "the next one at once";
  EXPECT_EQ(asked->cursor(), 7u);
}

TEST(FeedReader, TakesABatchOnceInOrderAndOfThisStay) {
  FeedReader reader(3);
  EXPECT_TRUE(reader.is_next(batch(0, 7, 3)));
  EXPECT_FALSE(reader.is_next(batch(0, 7, 2))) << "of an earlier stay";
  reader.advance(batch(0, 7, 3));
  EXPECT_FALSE(reader.is_next(batch(0, 7, 3))) << "repeated";
  EXPECT_TRUE(reader.is_next(batch(7, 9, 4)));
}

TEST(FeedReader, IsCaughtUpOnceItWas) {
  FeedReader reader;
  reader.advance(batch(0, 7, 0, true));
  reader.advance(batch(7, 9, 0));
  EXPECT_TRUE(reader.caught_up());
}

}  // namespace
}  // namespace muster::roles
