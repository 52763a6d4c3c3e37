#include "roles/server/job_table.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(1000)};

pb::JobRow row_of(const std::string& id, uint32_t run = 1, uint64_t epoch = 0,
                  pb::JobState state = pb::JOB_STATE_RUNNING, const std::string& coordinator = "") {
  pb::JobRow row;
  row.set_job(id);
  row.set_run(run);
  row.set_epoch(epoch);
  row.set_state(state);
  row.set_coordinator(coordinator);
  return row;
}

pb::JobKey key(const std::string& id, uint32_t run, uint64_t epoch) {
  pb::JobKey key;
  key.set_job(id);
  key.set_run(run);
  key.set_epoch(epoch);
  return key;
}

class JobTableTest : public testing::Test {
 protected:
  ~JobTableTest() override { jobs_.check(); }
  void write(const pb::JobRow& row) { jobs_.write({row, {}, {}, {}}, effects_); }
  // What becomes of the latest write.
  JobTable::Settled settle(Outcome outcome = Outcome::kDone, const std::string& why = "") {
    jobs_.check();
    const auto settled = jobs_.settle(kStart, {effects_.commits.back().id, outcome, why});
    EXPECT_TRUE(settled);
    jobs_.check();
    return settled.value_or(JobTable::Settled{});
  }
  JobTable::Settled commit(const pb::JobRow& row) {
    write(row);
    return settle();
  }
  const pb::JobRow& row(const std::string& id) { return jobs_.at(id).row; }

  WriteIds ids_;
  JobTable jobs_{ids_};
  Effects effects_;
};

using Ids = std::set<std::string>;

TEST_F(JobTableTest, AJobGoesOnFromTheCommitOfItsRowToThatOfItsEnd) {
  write(row_of("j"));
  EXPECT_EQ(jobs_.live(), Ids{});
  EXPECT_EQ(jobs_.going_on(), 1u) << "what is on its way will go on, too";
  EXPECT_EQ(row("j").run(), 0u);
  EXPECT_TRUE(jobs_.at("j").is_writing);
  const auto begun = settle();
  EXPECT_TRUE(begun.is_new_run);
  EXPECT_FALSE(begun.is_reassigned);
  EXPECT_EQ(jobs_.live(), Ids{"j"});
  const auto over = commit(row_of("j", 1, 0, pb::JOB_STATE_FAILED));
  EXPECT_FALSE(over.is_new_run);
  EXPECT_EQ(over.row.state(), pb::JOB_STATE_FAILED);
  EXPECT_EQ(jobs_.live(), Ids{});
  EXPECT_EQ(jobs_.going_on(), 0u);
  EXPECT_EQ(jobs_.find("j"), nullptr) << "what is over is in the database alone";
  const auto again = commit(row_of("j", 2, 3));
  EXPECT_TRUE(again.is_new_run);
  EXPECT_FALSE(again.is_reassigned) << "its epoch is above those of the run before";
  EXPECT_EQ(jobs_.live(), Ids{"j"});
  EXPECT_FALSE(jobs_.settle(kStart, {99, Outcome::kDone, ""})) << "another's";
}

TEST_F(JobTableTest, ANewJobThatCouldNotBeWrittenIsGone) {
  write(row_of("j"));
  const auto settled = settle(Outcome::kFailed, "full");
  EXPECT_EQ(settled.outcome, Outcome::kFailed);
  EXPECT_EQ(settled.change.row.job(), "j");
  EXPECT_FALSE(settled.is_news) << "there is no row of which to tell";
  EXPECT_EQ(jobs_.find("j"), nullptr);
}

TEST_F(JobTableTest, WhyARowCouldNotBeWrittenIsNewsOnce) {
  commit(row_of("j"));
  for (const auto& [why, is_news] : std::vector<std::pair<std::string, bool>>{
           {"full", true}, {"full", false}, {"read only", true}}) {
    write(row_of("j", 1, 1));
    EXPECT_EQ(settle(Outcome::kFailed, why).is_news, is_news) << why;
    EXPECT_EQ(row("j").epoch(), 0u);
    EXPECT_EQ(jobs_.at("j").tenure.due(), kStart + kRepeatEvery);
  }
  EXPECT_NE(jobs_.at("j").cannot_write.find("read only"), std::string::npos);
  commit(row_of("j", 1, 1));
  EXPECT_EQ(jobs_.at("j").cannot_write, "");
}

TEST_F(JobTableTest, ARowThatMayBeThereIsWrittenAgain) {
  write(row_of("j"));
  EXPECT_EQ(settle(Outcome::kUnknown).outcome, Outcome::kUnknown);
  EXPECT_TRUE(jobs_.at("j").is_writing) << "nothing else may be written of it";
  jobs_.keep(kStart + kRepeatEvery, effects_);
  EXPECT_EQ(effects_.commits.size(), 2u);
  EXPECT_TRUE(settle().is_new_run);
}

TEST_F(JobTableTest, WhatWasHeardWhileARowWasWrittenStays) {
  commit(row_of("j", 1, 1, pb::JOB_STATE_RUNNING, "coord"));
  pb::JobProgress progress;
  progress.set_settled(3);
  progress.set_total(9);
  EXPECT_TRUE(jobs_.note_progress("j", progress));
  EXPECT_FALSE(jobs_.note_progress("j", progress));
  pb::JobRow frozen = row("j");
  frozen.set_frozen_digest("digest");
  write(frozen);
  progress.set_settled(4);
  jobs_.note_progress("j", progress);
  jobs_.lose_coordinator(kStart, "j", "i1");
  settle();
  EXPECT_EQ(row("j").frozen_digest(), "digest");
  EXPECT_EQ(row("j").settled_items(), 4);
  EXPECT_EQ(row("j").total_items(), 9);
  EXPECT_EQ(row("j").coordinator(), "") << "lost meanwhile";
}

TEST_F(JobTableTest, AnAssignmentBeginsAnew) {
  commit(row_of("j"));
  const auto settled = commit(row_of("j", 1, 1, pb::JOB_STATE_RUNNING, "coord"));
  EXPECT_TRUE(settled.is_reassigned);
  EXPECT_FALSE(jobs_.at("j").tenure.is_heard());
  EXPECT_EQ(jobs_.at("j").tenure.due(), kStart);
  EXPECT_EQ(jobs_.led_by("coord"), 1u);
  EXPECT_EQ(jobs_.led_by("another"), 0u);
  EXPECT_EQ(jobs_.lose_coordinator(kStart, "j", "i1"), "coord");
  EXPECT_EQ(jobs_.led_by("coord"), 0u);
  EXPECT_EQ(jobs_.at("j").tenure.ended_early(), 1);
}

TEST_F(JobTableTest, IsSpokenForByWhoHasTheAssignment) {
  commit(row_of("j", 2, 7, pb::JOB_STATE_RUNNING, "coord"));
  struct Case {
    const char* name;
    pb::JobKey key;
    std::string from;
  };
  for (const Case& c :
       {Case{"another job", key("k", 2, 7), "coord"}, Case{"another run", key("j", 1, 7), "coord"},
        Case{"an earlier epoch", key("j", 2, 6), "coord"},
        Case{"somebody else", key("j", 2, 7), "another"}}) {
    EXPECT_EQ(jobs_.current(c.key, c.from), nullptr) << c.name;
    EXPECT_FALSE(jobs_.at("j").tenure.is_heard()) << c.name;
  }
  EXPECT_EQ(jobs_.current(key("j", 2, 7), "coord"), &jobs_.at("j"));
  EXPECT_TRUE(jobs_.at("j").tenure.is_heard());
}

TEST_F(JobTableTest, IsNamedByItsBeginning) {
  for (const char* id : {"ab", "ac", "b"}) commit(row_of(id));
  EXPECT_EQ(jobs_.named("a"), (std::vector<std::string>{"ab", "ac"}));
  EXPECT_EQ(jobs_.named("ac"), std::vector<std::string>{"ac"});
  EXPECT_TRUE(jobs_.named("").empty());
  EXPECT_TRUE(jobs_.named("c").empty());
}

TEST_F(JobTableTest, WhoHadAJobAtTheStartBeginsAgain) {
  jobs_.restore(row_of("j", 1, 4, pb::JOB_STATE_RUNNING, "coord"));
  EXPECT_EQ(row("j").coordinator(), "");
  EXPECT_EQ(jobs_.at("j").tenure.before(), "coord");
  EXPECT_EQ(jobs_.live(), Ids{"j"});
}

}  // namespace
}  // namespace muster::roles::server
