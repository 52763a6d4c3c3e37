#include "web/live/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::web {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

TEST(EventLogTest, TellsThoseWhoAskedForTheTopic) {
  EventLog log("b");
  const auto pool = log.follow({"pool"}, ""), job = log.follow({"job:1", "board"}, "");
  log.tell({"pool", "job:1"}, "job", "{}");
  log.tell({"machine:2"}, "machine", "{}");
  EXPECT_EQ(pool->take().text, "id: b.1\nevent: job\ndata: {}\n\n");
  EXPECT_EQ(job->take().text, "id: b.1\nevent: job\ndata: {}\n\n");
  EXPECT_EQ(log.last(), "b.2");
}

TEST(EventLogTest, WhoComesAgainHearsWhatHeMissed) {
  EventLog log("b");
  for (const char* data : {"1", "2", "3"}) log.tell({"pool"}, "pool", data);
  EXPECT_EQ(log.follow({"pool"}, "b.2")->take().text, "id: b.3\nevent: pool\ndata: 3\n\n");
  EXPECT_THAT(log.follow({"pool"}, "b.3")->take().text, IsEmpty());
  EXPECT_THAT(log.follow({"pool"}, "b.0")->take().text, HasSubstr("data: 1"));
  EXPECT_THAT(log.follow({"board"}, "b.1")->take().text, IsEmpty());
  EXPECT_THAT(log.follow({"pool"}, "")->take().text, IsEmpty());
}

TEST(EventLogTest, WhoMissedTooMuchReadsAnew) {
  EventLog log("b");
  for (size_t count = 0; count <= EventLog::kMostKept; ++count) log.tell({"pool"}, "pool", "{}");
  EXPECT_THAT(log.follow({"pool"}, "b.0")->take().text,
              HasSubstr("event: resync\ndata: {\"topics\":[\"pool\"]}"));
  EXPECT_THAT(log.follow({"pool"}, "b.1")->take().text, Not(HasSubstr("resync")));
  for (const char* after : {"a.5", "b", "b.", "b.x", "b.99999", "b.-1", "b.1 "}) {
    EXPECT_THAT(log.follow({"pool"}, after)->take().text, HasSubstr("resync")) << after;
  }
}

TEST(EventLogTest, SaysByeToAll) {
  EventLog log("b");
  const auto reader = log.follow({"pool"}, "");
  log.end("{}");
  const auto taken = reader->take();
  EXPECT_EQ(taken.text, "id: b.0\nevent: bye\ndata: {}\n\n");
  EXPECT_TRUE(taken.is_over);
}

TEST(EventLogTest, ForgetsWhoHasGone) {
  EventLog log("b");
  log.follow({"pool"}, "").reset();
  log.tell({"pool"}, "pool", "{}");
}

}  // namespace
}  // namespace muster::web
