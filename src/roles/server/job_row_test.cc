#include "roles/server/job_row.h"

#include <gtest/gtest.h>

#include <functional>

namespace muster::roles::server {
namespace {

pb::JobRequest request_of(const std::string& task = "tinyMMLU") {
  pb::JobRequest request;
  request.add_tasks(task);
  request.set_redundancy(2);
  return request;
}

pb::ModelPin a_pin() {
  pb::ModelPin pin;
  pin.set_name("ORG/NAME");
  pin.set_commit(std::string(40, 'a'));
  pin.set_dtype("float32");
  return pin;
}

TEST(JobRow, TheIdIsOfAllThatDeterminesTheScores) {
  const std::string plain = *job_id(request_of(), a_pin());
  EXPECT_EQ(plain.size(), 16u);
  struct Case {
    const char* name;
    bool differs;
    std::function<void(pb::JobRequest&, pb::ModelPin&)> change;
  };
  for (const Case& c :
       {Case{"nothing", false, [](auto&, auto&) {}},
        Case{"who asks", false, [](auto&request, auto&) { request.set_username("me"); }},
        Case{"that it begins anew", false, [](auto&request, auto&) { request.set_force(true); }},
        Case{"the shots that are its own", false,
             [](auto&request, auto&) { request.set_num_fewshot(0); }},
        Case{"another task", true,
             [](auto&request, auto&) { request.set_tasks(0, "tinyHellaswag"); }},
        Case{"a limit", true, [](auto&request, auto&) { request.set_limit(3); }},
        Case{"votes", true, [](auto&request, auto&) { request.set_redundancy(3); }},
        Case{"votes as needed", true, [](auto&request, auto&) { request.set_adaptive(true); }},
        Case{"the wait", true, [](auto&request, auto&) { request.set_quorum_wait_ms(1); }},
        Case{"another commit", true, [](auto&, auto&pin) { pin.set_commit("b"); }},
        Case{"another path", true, [](auto&, auto&pin) { pin.set_path("/models/a"); }}}) {
    pb::JobRequest request = request_of();
    pb::ModelPin pin = a_pin();
    c.change(request, pin);
    EXPECT_EQ(*job_id(request, pin) != plain, c.differs) << c.name;
  }
  const auto unknown = job_id(request_of("no_such_task"), a_pin());
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kUnsupported);
}

pb::Submit submission(const std::string& key) {
  pb::Submit submit;
  submit.set_idempotency_key(key);
  submit.set_received_at_ms(17);
  return submit;
}

pb::JobRow begin(const pb::JobRow& before, const std::string& key) {
  pb::JobRequest request = request_of();
  *request.mutable_directory_pin() = a_pin();
  return next_run("j", before, submission(key), request, a_pin());
}

TEST(JobRow, ARunBeginsAboveTheOneBefore) {
  const pb::JobRow first = begin({}, "k1");
  EXPECT_EQ(first.job(), "j");
  EXPECT_EQ(first.run(), 1u);
  EXPECT_EQ(first.epoch(), 0u);
  EXPECT_EQ(first.state(), pb::JOB_STATE_RUNNING);
  EXPECT_EQ(first.accepted_at_ms(), 17);
  EXPECT_EQ(first.model().name(), "ORG/NAME");
  EXPECT_FALSE(first.request().has_directory_pin()) << "it is in the model";
  const pb::JobRow second =
      begin(ended(assigned(first, "coord", 3), pb::JOB_STATE_CANCELLED, "cancelled", 9), "k2");
  EXPECT_EQ(second.run(), 2u);
  EXPECT_EQ(second.epoch(), 4u);
  EXPECT_EQ(second.coordinator(), "");
  EXPECT_EQ(second.assignments_size(), 0);
  EXPECT_EQ(second.ended_at_ms(), 0);
}

TEST(JobRow, RemembersWhichSubmissionsBeganItsRuns) {
  pb::JobRow row = begin({}, "k0");
  EXPECT_TRUE(began(row, submission("k0")));
  EXPECT_FALSE(began(row, submission("k1")));
  EXPECT_EQ(begin(row, "").idempotency_keys_size(), 1) << "one without a key leaves none";
  for (int i = 1; i <= 8; ++i) row = begin(row, "k" + std::to_string(i));
  EXPECT_FALSE(began(row, submission("k0"))) << "the last eight";
  EXPECT_TRUE(began(row, submission("k1")));
}

TEST(JobRow, RemembersWhoHadItUnderWhichEpoch) {
  pb::JobRow row = begin({}, "");
  for (uint64_t epoch = 1; epoch <= 20; ++epoch) {
    row = assigned(row, "coord" + std::to_string(epoch), epoch);
  }
  EXPECT_EQ(row.epoch(), 20u);
  EXPECT_EQ(row.coordinator(), "coord20");
  EXPECT_EQ(row.reason(), "");
  ASSERT_EQ(row.assignments_size(), 16);
  EXPECT_EQ(row.assignments(0).coordinator(), "coord5");
  EXPECT_EQ(row.assignments(15).epoch(), 20u);
}

TEST(JobRow, EndsAsItsCoordinatorSays) {
  pb::JobRow row = begin({}, "");
  row.set_settled_items(3);
  row.set_total_items(9);
  pb::Finish done;
  done.mutable_result()->add_tasks()->set_task("tinyMMLU");
  const pb::JobRow well = finished(row, done, 9);
  EXPECT_EQ(well.state(), pb::JOB_STATE_DONE);
  EXPECT_EQ(well.ended_at_ms(), 9);
  EXPECT_EQ(well.settled_items(), 9);
  EXPECT_EQ(well.result().tasks_size(), 1);
  pb::Finish failed;
  failed.mutable_failure()->set_message("no model");
  const pb::JobRow ill = finished(row, failed, 9);
  EXPECT_EQ(ill.state(), pb::JOB_STATE_FAILED);
  EXPECT_EQ(ill.reason(), "no model");
  EXPECT_EQ(ill.settled_items(), 3);
  EXPECT_EQ(ill.epoch(), row.epoch());
}

}  // namespace
}  // namespace muster::roles::server
