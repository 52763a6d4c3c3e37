#include "roles/server/reasons.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr int64_t kNow = 1'000'000;

pb::JobRow run_of(const std::string& job, uint32_t run = 1) {
  pb::JobRow row;
  row.set_job(job);
  row.set_run(run);
  return row;
}

// "number machine text times", as they are listed.
std::vector<std::string> words(const pb::WhyReply& reply) {
  std::vector<std::string> out;
  for (const pb::Reason& reason : reply.reasons()) {
    out.push_back(std::to_string(reason.number()) + " " + reason.machine() + " " + reason.text() +
                  " " + std::to_string(reason.times()));
  }
  return out;
}

class ReasonsTest : public testing::Test {
 protected:
  void note(const std::string& job, const std::string& machine, const std::string& text,
            int64_t at_ms = kNow) {
    reasons_.note_event(run_of(job), machine, text, at_ms, effects_);
    reasons_.check();
  }
  std::vector<std::string> of_job(const std::string& job) {
    pb::WhyReply reply;
    reasons_.list_job(job, reply);
    return words(reply);
  }
  std::vector<std::string> of_machine(const std::string& machine) {
    pb::WhyReply reply;
    reasons_.list_machine(machine, before_, reply);
    return words(reply);
  }

  WriteIds ids_;
  Reasons reasons_{ids_};
  std::vector<pb::Reason> before_;  // As the database has found them.
  Effects effects_;
};

using Words = std::vector<std::string>;

TEST_F(ReasonsTest, CountWhatAMachineDoesAgain) {
  note("j", "a", "failed");
  note("j", "b", "failed");
  note("j", "a", "failed");
  EXPECT_EQ(of_job("j"), (Words{"1 a failed 2", "2 b failed 1"}));
  note("j", "a", "is gone");
  note("j", "a", "failed");
  EXPECT_EQ(of_job("j"), (Words{"1 a failed 2", "2 b failed 1", "3 a is gone 1", "4 a failed 1"}))
      << "only what it did last is counted";
  EXPECT_EQ(of_job("k"), Words{});
}

// The first, second, fourth and eighth time, and whatever comes after ten quiet seconds.
TEST_F(ReasonsTest, WriteNowAndThenWhatHappensOften) {
  for (int i = 0; i < 8; ++i) note("j", "a", "failed", kNow + i);
  ASSERT_EQ(effects_.commits.size(), 4u);
  EXPECT_EQ(std::get<SaveReason>(effects_.commits.back().changes.at(0)).reason.times(), 8u);
  EXPECT_NE(effects_.commits[0].id, effects_.commits[1].id);
  note("j", "a", "failed", kNow + 10'006);
  EXPECT_EQ(effects_.commits.size(), 4u);
  note("j", "a", "failed", kNow + 20'006);
  EXPECT_EQ(effects_.commits.size(), 5u);
}

TEST_F(ReasonsTest, KeepTheLatestAndTheirNumbers) {
  for (size_t i = 1; i <= Reasons::kMost + 1; ++i) note("j", "a", std::to_string(i));
  const Words all = of_job("j");
  ASSERT_EQ(all.size(), Reasons::kMost);
  EXPECT_EQ(all.front(), "2 a 2 1");
  EXPECT_EQ(all.back(), "101 a 101 1");
}

TEST_F(ReasonsTest, TakeAnEventOnceAnAssignment) {
  pb::JobProgress progress;
  progress.mutable_key()->set_epoch(1);
  for (const uint64_t number : {1, 2}) {
    auto* event = progress.add_events();
    event->set_number(number);
    event->set_machine("a");
    event->set_text("thing " + std::to_string(number));
  }
  reasons_.note_events(run_of("j"), progress, kNow, effects_);
  reasons_.note_events(run_of("j"), progress, kNow, effects_);
  EXPECT_EQ(of_job("j"), (Words{"1 a thing 1 1", "2 a thing 2 1"}));
  progress.mutable_key()->set_epoch(2);
  progress.mutable_events()->DeleteSubrange(1, 1);
  reasons_.note_events(run_of("j"), progress, kNow, effects_);
  EXPECT_EQ(of_job("j").size(), 3u) << "the next assignment counts from the beginning";
}

TEST_F(ReasonsTest, ListAMachinesByTimeOverJobs) {
  note("k", "a", "first", kNow);
  note("j", "b", "of another", kNow);
  note("j", "a", "second", kNow + 1);
  note("k", "a", "third", kNow + 2);
  EXPECT_EQ(of_machine("a"), (Words{"1 a first 1", "2 a second 1", "2 a third 1"}));
  for (size_t i = 0; i + 1 < Reasons::kMost; ++i) note("j", "a", std::to_string(i), kNow + 3);
  EXPECT_EQ(of_machine("a").size(), Reasons::kMost);
  EXPECT_EQ(of_machine("a").front(), "2 a third 1") << "the latest stay";
}

TEST_F(ReasonsTest, GoOnWhereTheServerBeforeEnded) {
  pb::Reason written;
  written.set_job("j");
  written.set_run(1);
  written.set_number(7);
  written.set_machine("a");
  written.set_text("failed");
  written.set_times(3);
  reasons_.restore(written);
  note("j", "a", "failed");
  note("j", "a", "is gone");
  EXPECT_EQ(of_job("j"), (Words{"7 a failed 4", "8 a is gone 1"}));
}

TEST_F(ReasonsTest, ListWhatAMachineDidInJobsThatAreOver) {
  note("j", "a", "here", kNow);
  for (const char* job : {"over", "j"}) {
    pb::Reason& reason = before_.emplace_back();
    reason.set_job(job);
    reason.set_number(9);
    reason.set_machine("a");
    reason.set_text("before");
    reason.set_at_ms(kNow - 1);
  }
  EXPECT_EQ(of_machine("a"), (Words{"9 a before 0", "1 a here 1"}))
      << "of what goes on more is known here";
}

TEST_F(ReasonsTest, WhatIsNotWrittenYetIsWrittenAtTheEnd) {
  for (int i = 0; i < 3; ++i) note("j", "a", "failed", kNow + i);
  note("j", "b", "failed");
  const size_t before = effects_.commits.size();
  reasons_.end_run("j", effects_);
  ASSERT_EQ(effects_.commits.size(), before + 1);
  EXPECT_EQ(std::get<SaveReason>(effects_.commits.back().changes.at(0)).reason.times(), 3u);
  EXPECT_EQ(of_job("j"), Words{}) << "the database has it";
  reasons_.end_run("j", effects_);
  EXPECT_EQ(effects_.commits.size(), before + 1);
}

TEST_F(ReasonsTest, TheNextRunBeginsAnew) {
  note("j", "a", "failed");
  note("k", "a", "failed");
  reasons_.end_run("j", effects_);
  reasons_.note_event(run_of("j", 2), "a", "failed", kNow, effects_);
  reasons_.check();
  EXPECT_EQ(of_job("j"), Words{"1 a failed 1"});
  EXPECT_EQ(of_job("k").size(), 1u);
}

}  // namespace
}  // namespace muster::roles::server
