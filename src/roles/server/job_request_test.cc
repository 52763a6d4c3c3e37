#include "roles/server/job_request.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace muster::roles::server {
namespace {

pb::JobRequest good_request() {
  pb::JobRequest request;
  request.set_model("ORG/NAME");
  request.add_tasks("tinyMMLU");
  request.set_limit(3);
  request.set_redundancy(2);
  return request;
}

pb::ModelPin good_pin() {
  pb::ModelPin pin;
  pin.set_name("ORG/NAME");
  pin.set_commit(std::string(40, 'a'));
  pin.set_dtype("float32");
  return pin;
}

TEST(JobRequest, WhatMusterRunSendsIsTaken) {
  EXPECT_TRUE(check_request(good_request()));
  EXPECT_TRUE(check_pin(good_pin()));
}

TEST(JobRequest, WhatNoCommandSendsIsRefused) {
  struct Case {
    const char* what;
    std::function<void(pb::JobRequest&)> alter;
  };
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const Case cases[] = {
      {"no task", [](auto& r) { r.clear_tasks(); }},
      {"an unknown task", [](auto& r) { r.add_tasks("nonsense"); }},
      {"a task twice", [](auto& r) { r.add_tasks("tinyMMLU"); }},
      {"20,000 tasks",
       [](auto& r) {
         for (int i = 0; i < 20'000; ++i) r.add_tasks("tinyMMLU");
       }},
      {"limit 0", [](auto& r) { r.set_limit(0); }},
      {"limit -5", [](auto& r) { r.set_limit(-5); }},
      {"limit NaN", [](auto& r) { r.set_limit(kNaN); }},
      {"limit inf", [](auto& r) { r.set_limit(HUGE_VAL); }},
      {"limit 1e300", [](auto& r) { r.set_limit(1e300); }},
      {"shots -1", [](auto& r) { r.set_num_fewshot(-1); }},
      {"shots 1000000", [](auto& r) { r.set_num_fewshot(1'000'000); }},
      {"redundancy 6", [](auto& r) { r.set_redundancy(6); }},
      {"a wait of years", [](auto& r) { r.set_quorum_wait_ms(UINT32_MAX); }},
      {"no model", [](auto& r) { r.clear_model(); }},
      {"a model with a newline", [](auto& r) { r.set_model("a\nb"); }},
      {"a long model", [](auto& r) { r.set_model(std::string(301, 'x')); }},
      {"a long user", [](auto& r) { r.set_username(std::string(65, 'x')); }},
  };
  for (const Case& one : cases) {
    pb::JobRequest request = good_request();
    one.alter(request);
    EXPECT_FALSE(check_request(request)) << one.what;
  }
}

TEST(JobRequest, APinIsHexAndAnAbsolutePath) {
  pb::ModelPin directory = good_pin();
  directory.set_commit(std::string(64, '0'));
  EXPECT_TRUE(check_pin(directory));
  for (const std::string& commit : {std::string(), std::string(39, 'a'), std::string(41, 'a'),
                                    std::string(40, 'G'), std::string("../../../token")}) {
    pb::ModelPin pin = good_pin();
    pin.set_commit(commit);
    EXPECT_FALSE(check_pin(pin)) << commit;
  }
  pb::ModelPin pin = good_pin();
  pin.set_path("relative");
  EXPECT_FALSE(check_pin(pin));
  pin = good_pin();
  pin.set_dtype("int4");
  EXPECT_FALSE(check_pin(pin));
  pin = good_pin();
  pin.set_parameters(2'000'000'000);
  EXPECT_FALSE(check_pin(pin));
}

}  // namespace
}  // namespace muster::roles::server
