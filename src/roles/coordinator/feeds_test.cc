// What counts as silence of a store that is read, and which of two it is that withholds.
#include "roles/coordinator/feeds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::roles::coordinator {
namespace {

using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

Digest record(int n) { return sha256(std::to_string(n)); }

// Members "a" and "b"; both have been read.
class FeedsTest : public testing::Test {
 protected:
  FeedsTest() {
    set_members({"a", "b"});
    feeds.begin(now);
    feed("a", {}, true);
    feed("b", {}, true);
  }
  void set_members(const std::vector<std::string>& names) {
    pb::View view;
    for (const std::string& name : names) {
      auto* member = view.add_members();
      member->set_machine(name);
      member->set_store_id("of " + name);
    }
    feeds.set_view(now, view, 0);
  }
  // Records of about a kilobyte each.
  bool feed(const std::string& member, const std::vector<int>& records, bool at_end) {
    pb::Feed batch;
    batch.set_from(cursors_[member]);
    batch.set_at_end(at_end);
    for (size_t n = 0; n < records.size(); ++n) {
      batch.add_records()->set_body(std::string(1000, 'r'));
    }
    batch.set_next(batch.from() + records.size());
    if (!feeds.take_batch(now, member, batch)) return false;
    cursors_[member] = batch.next();
    for (int n : records) feeds.on_genuine(now, member, record(n));
    return true;
  }
  // Both say every second that there is nothing new.
  void pass(Duration time) {
    for (const Instant until = now + time; now < until; now += seconds(1)) {
      feed("a", {}, true);
      feed("b", {}, true);
    }
  }

  Feeds feeds;
  Instant now{seconds(100)};

 private:
  std::map<std::string, uint64_t> cursors_;
};

TEST_F(FeedsTest, NobodyIsSilentBeforeItIsAsked) {
  Feeds fresh;
  pb::View view;
  view.add_members()->set_machine("a");
  fresh.set_view(now, view, 0);
  EXPECT_THAT(fresh.neglectful(now + seconds(100)), IsEmpty());
  fresh.begin(now + seconds(100));
  EXPECT_THAT(fresh.neglectful(now + seconds(107)), IsEmpty());
  EXPECT_THAT(fresh.neglectful(now + seconds(108)),
              UnorderedElementsAre(Pair("a", "has fed nothing for 8 s")));
}

TEST_F(FeedsTest, ATrickleIsSilence) {
  for (int n = 0; n < 5; ++n) {
    now += seconds(2);
    EXPECT_TRUE(feed("a", {n}, false));
    EXPECT_TRUE(feed("b", {n}, true));
  }
  EXPECT_THAT(feeds.neglectful(now), UnorderedElementsAre(Pair("a", "has fed nothing for 8 s")));
}

TEST_F(FeedsTest, FullBatchesAreNotHoweverManyThereAre) {
  for (int batch = 0; batch < 100; ++batch) {
    now += seconds(5);
    std::vector<int> records(180);
    for (size_t n = 0; n < records.size(); ++n) records[n] = batch * 1000 + static_cast<int>(n);
    EXPECT_TRUE(feed("a", records, false));
    EXPECT_TRUE(feed("b", records, true));
    EXPECT_THAT(feeds.neglectful(now), IsEmpty());
  }
}

TEST_F(FeedsTest, NothingNewWithoutEndIsNonsense) {
  for (int n = 0; n < 100 && !feeds.has_news(); ++n) {
    EXPECT_TRUE(feed("a", std::vector<int>(100, 7), false));
  }
  EXPECT_THAT(feeds.neglectful(now),
              UnorderedElementsAre(Pair("a", "feeds the same again and again")));
  EXPECT_TRUE(feed("b", {}, false));
  EXPECT_TRUE(feeds.neglectful(now).contains("b")) << "nothing, and more of it";
}

TEST_F(FeedsTest, WhoLacksWhatAnotherFeedsIsBlamedOnce) {
  feed("a", {1}, true);
  pass(seconds(59));
  EXPECT_THAT(feeds.neglectful(now), IsEmpty());
  pass(seconds(2));
  EXPECT_THAT(feeds.neglectful(now),
              UnorderedElementsAre(Pair("b", "lacks what another store feeds")));
}

TEST_F(FeedsTest, WhoIsInEveryDisputeIsTheCause) {
  feed("a", {1}, true);
  pass(seconds(61));
  (void)feeds.neglectful(now);
  set_members({"a", "c"});
  for (const Instant until = now + seconds(122); now < until; now += seconds(1)) {
    feed("a", {}, true);
    feed("c", {}, true);
  }
  EXPECT_THAT(feeds.neglectful(now),
              UnorderedElementsAre(Pair("a", "feeds what no other store gets from it")));
}

TEST_F(FeedsTest, WhatBothHaveOrNobodyHasIsNoDispute) {
  feed("a", {1}, true);
  feed("b", {1}, true);
  feed("a", {2}, true);
  set_members({"b", "c"});  // What only a had is lost with it.
  for (const Instant until = now + seconds(200); now < until; now += seconds(1)) {
    feed("b", {}, true);
    feed("c", {}, true);
    EXPECT_THAT(feeds.neglectful(now), IsEmpty());
  }
}

TEST_F(FeedsTest, WhatWasAcknowledgedIsFed) {
  set_members({"a"});
  feeds.on_acknowledged(now, record(1));
  for (const Instant until = now + seconds(61); now < until; now += seconds(1)) {
    feed("a", {}, true);
  }
  EXPECT_THAT(feeds.neglectful(now),
              UnorderedElementsAre(Pair("a", "does not feed what it acknowledged")));
}

}  // namespace
}  // namespace muster::roles::coordinator
