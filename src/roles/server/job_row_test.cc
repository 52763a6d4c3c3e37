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

TEST(JobRow, ARunIsOverWhenItEnded) {
  EXPECT_FALSE(is_over(pb::JOB_STATE_RUNNING));
  for (const auto state : {pb::JOB_STATE_DONE, pb::JOB_STATE_FAILED, pb::JOB_STATE_CANCELLED}) {
    EXPECT_TRUE(is_over(state)) << state;
  }
}

}  // namespace
}  // namespace muster::roles::server
