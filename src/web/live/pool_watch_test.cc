#include "web/live/pool_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/database/databases_for_test.h"
#include "io/database/rows.h"
#include "io/database/schema.h"

namespace muster::web {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// One look after the other, without a thread.
class PoolWatchTest : public io::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    archive_ = std::make_unique<io::Archive>(address());
    watch_ = std::make_unique<PoolWatch>(
        PoolWatch::Sources{.status = [this] { return status_; },
                           .archive = *archive_,
                           .board = board_,
                           .events = events_,
                           .on_news = [this](const std::string& news) { news_.push_back(news); }});
  }
  void begin() {
    writer_ = open_connection(address());
    ASSERT_TRUE(io::bring_up_to_date(*writer_));
  }
  void save(pb::JobState state) {
    pb::JobRow row;
    row.set_job("aa");
    row.set_run(1);
    row.set_state(state);
    row.set_ended_at_ms(state == pb::JOB_STATE_RUNNING ? 0 : 5000);
    row.set_settled_items(state == pb::JOB_STATE_RUNNING ? 1 : 9);
    if (state == pb::JOB_STATE_DONE) row.mutable_result()->add_tasks()->add_metrics();
    io::write_row(writer_->session(), row);
    status_->Clear();
    if (state == pb::JOB_STATE_RUNNING) *status_->add_jobs() = row;
  }

  Result<pb::PoolStatus> status_;
  SharedBoard board_;
  EventLog events_{"b"};
  std::unique_ptr<io::Connection> writer_;
  std::unique_ptr<io::Archive> archive_;
  std::unique_ptr<PoolWatch> watch_;
  std::vector<std::string> news_;
};

TEST_P(PoolWatchTest, SaysOnceWhatItDoesNotHear) {
  begin();
  status_ = fail(Code::kUnavailable, "no server");
  watch_->look(1000);
  watch_->look(2000);
  EXPECT_EQ(watch_->silence(), "no server");
  EXPECT_EQ(watch_->now(), nullptr);
  status_ = pb::PoolStatus();
  watch_->look(3000);
  EXPECT_EQ(watch_->silence(), "");
  EXPECT_EQ(watch_->now()->at_ms, 3000);
  EXPECT_THAT(news_, ElementsAre("no server", "the pool is heard again"));
}

TEST_P(PoolWatchTest, LooksAtThePoolThoughTheDatabaseIsAway) {
  watch_->look(1000);
  watch_->look(2000);
  EXPECT_EQ(watch_->now()->at_ms, 2000);
  EXPECT_THAT(watch_->silence(), HasSubstr("no server of this version has begun a pool there"));
  EXPECT_EQ(news_.size(), 1);
}

TEST_P(PoolWatchTest, TellsHowARunEndedAndWhatItScored) {
  begin();
  save(pb::JOB_STATE_RUNNING);
  watch_->look(1000);
  const auto reader = events_.follow({"job:aa", "board"}, "");
  save(pb::JOB_STATE_DONE);
  watch_->look(3000);
  const std::string told = reader->take().text;
  EXPECT_THAT(told,
              AllOf(HasSubstr("event: job\ndata: {\"job\":\"aa\",\"run\":1,\"state\":\"done\""),
                    HasSubstr("event: result")));
  watch_->look(5000);
  EXPECT_EQ(watch_->now()->items_per_s, 2) << "eight items in four seconds";
}

TEST_P(PoolWatchTest, TellsOfAnEndThatCouldNotBeReadAtOnce) {
  begin();
  save(pb::JOB_STATE_RUNNING);
  watch_->look(1000);
  const auto reader = events_.follow({"job:aa"}, "");
  save(pb::JOB_STATE_DONE);
  run_sql("ALTER TABLE jobs RENAME TO away");
  watch_->look(3000);
  EXPECT_THAT(reader->take().text, IsEmpty());
  run_sql("ALTER TABLE away RENAME TO jobs");
  watch_->look(5000);
  EXPECT_THAT(reader->take().text, HasSubstr("\"state\":\"done\""));
}

TEST_P(PoolWatchTest, WhatWasDoneBeforeIsNoNews) {
  begin();
  save(pb::JOB_STATE_DONE);
  const auto reader = events_.follow({"board"}, "");
  watch_->look(1000);
  watch_->look(3000);
  EXPECT_THAT(reader->take().text, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Databases, PoolWatchTest,
                         testing::Values(io::Kind::kSqlite, io::Kind::kPostgres), io::name_of_kind);

}  // namespace
}  // namespace muster::web
