// The website as a whole: what the database and the server say, asked for over HTTP.
#include "web/website.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <set>
#include <thread>

#include "base/json.h"
#include "io/database/databases_for_test.h"
#include "io/database/rows.h"
#include "io/database/schema.h"
#include "web/api/api.h"
#include "web/http/visitor_for_test.h"
#include "web/pages/pages.h"

namespace muster::web {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kJob = "0123456789abcdef";

struct Said {
  int status = 0;
  std::string head, body;
  [[nodiscard]] Json json() const {
    return parse_json(body, 1 << 22).value_or(Json("no JSON: " + body));
  }
};

class WebsiteTest : public io::DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    writer_ = open_connection(address());
    ASSERT_TRUE(io::bring_up_to_date(*writer_));
    pb::PoolRow pool;
    pool.set_pool("9be1");
    io::write_row(writer_->session(), pool);
    status_.set_pool("9be1");
    status_.set_version("0.1.0");
  }
  void open() {
    auto website = Website::open({.address = {"127.0.0.1", 0},
                                  .database = address(),
                                  .status = [this] { return tell_status(); },
                                  .on_news = [](const std::string&) {}});
    ASSERT_TRUE(website) << website.error().message;
    website_ = std::move(*website);
    while (ask("/api/v1/pool").status != (is_away_ ? 0 : 200)) {
      if (is_away_) return;
      std::this_thread::yield();
    }
  }
  Result<pb::PoolStatus> tell_status() {
    if (is_away_) return fail(Code::kUnavailable, "no server answers at 127.0.0.1:30000");
    return status_;
  }
  void save_job(const std::string& job, pb::JobState state, double acc = 0.16) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(1);
    row.set_state(state);
    row.set_accepted_at_ms(1000);
    row.set_ended_at_ms(state == pb::JOB_STATE_RUNNING ? 0 : 5000);
    row.set_total_items(100);
    row.set_settled_items(state == pb::JOB_STATE_DONE ? 100 : 7);
    row.mutable_request()->set_model("org/model-" + job.substr(0, 2));
    row.mutable_request()->add_tasks("tinyMMLU");
    row.mutable_request()->set_redundancy(2);
    row.mutable_model()->set_name("org/model-" + job.substr(0, 2));
    row.mutable_model()->set_commit("3f9c21ab");
    row.mutable_model()->set_dtype("float32");
    if (state == pb::JOB_STATE_DONE) add_result(row, acc);
    io::write_row(writer_->session(), row);
    if (state == pb::JOB_STATE_RUNNING) *status_.add_jobs() = row;
  }
  static void add_result(pb::JobRow& row, double acc) {
    pb::TaskResult& task = *row.mutable_result()->add_tasks();
    task.set_task("tinyMMLU");
    task.set_version("0.0");
    task.set_items(100);
    task.set_documents(100);
    task.set_wanted_votes(2);
    task.set_least_votes(2);
    pb::Metric& metric = *task.add_metrics();
    metric.set_name("acc");
    metric.set_value(acc);
    metric.set_stderr(0.0368);
  }
  [[nodiscard]] Said ask(const std::string& target, const std::string& fields = "",
                         const std::string& method = "GET") const {
    const Visitor visitor(website_->port());
    visitor.say(method + " " + target + " HTTP/1.1\r\n" + fields + "Connection: close\r\n\r\n");
    const std::string all = visitor.hear();
    const size_t end = all.find("\r\n\r\n");
    Said said{.head = all.substr(0, end), .body = all.substr(std::min(end + 4, all.size()))};
    said.status = std::stoi(all.substr(9, 3));
    return said;
  }

  std::unique_ptr<io::Connection> writer_;
  pb::PoolStatus status_;
  std::atomic<bool> is_away_ = false;
  std::unique_ptr<Website> website_;
};

TEST_P(WebsiteTest, TellsHowThePoolIs) {
  pb::Machine& machine = *status_.add_machines();
  machine.set_machine("4be09a1752c3d8f0");
  machine.set_state("idle");
  save_job(kJob, pb::JOB_STATE_DONE);
  open();
  const Json pool = ask("/api/v1/pool").json();
  EXPECT_EQ(pool["id"], "9be1");
  EXPECT_EQ(pool["machines"]["idle"], 1);
  EXPECT_EQ(pool["jobs"]["done"], 1);
  EXPECT_EQ(ask("/api/v1/pool/map").json()["states"], "i");
  EXPECT_EQ(ask("/api/v1/machines").json()["items"][0]["machine"], "4be09a1752c3d8f0");
  EXPECT_EQ(ask("/api/v1/machines?state=computing").json()["items"].size(), 0);
  EXPECT_EQ(ask("/api/v1/machines/4be09a1752c3d8f0").json()["state"], "idle");
  EXPECT_EQ(ask("/api/v1/machines/0000000000000000").status, 404);
}

TEST_P(WebsiteTest, ListsJobsAPageAtATime) {
  save_job("aa00000000000000", pb::JOB_STATE_DONE);
  save_job("bb00000000000000", pb::JOB_STATE_FAILED);
  save_job("cc00000000000000", pb::JOB_STATE_RUNNING);
  open();
  const Json first = ask("/api/v1/jobs?limit=2").json();
  ASSERT_EQ(first["items"].size(), 2);
  EXPECT_EQ(first["items"][0]["job"], "cc00000000000000");
  EXPECT_EQ(first["items"][0]["state"], "waiting");
  const std::string next = first["next"];
  const Json second = ask("/api/v1/jobs?limit=2&cursor=" + next).json();
  ASSERT_EQ(second["items"].size(), 1);
  EXPECT_EQ(second["items"][0]["job"], "aa00000000000000");
  EXPECT_EQ(second["next"], nullptr);
  EXPECT_EQ(ask("/api/v1/jobs?state=done&cursor=" + next).status, 400);
  EXPECT_EQ(ask("/api/v1/jobs?state=waiting").json()["items"].size(), 1);
  EXPECT_EQ(ask("/api/v1/jobs?state=running").json()["items"].size(), 0);
  EXPECT_EQ(ask("/api/v1/jobs?q=MODEL-BB").json()["items"].size(), 1);
}

TEST_P(WebsiteTest, TellsARunAndWhatItScored) {
  save_job(kJob, pb::JOB_STATE_DONE);
  open();
  const Json job = ask(std::string("/api/v1/jobs/") + kJob).json();
  EXPECT_EQ(job["command"], "muster run --llm_name org/model-01 --tasks tinyMMLU");
  EXPECT_EQ(job["requests"], 400);
  const Json& score = job["task_details"][0]["scores"][0];
  EXPECT_EQ(score["value"], 0.16);
  EXPECT_EQ(score["chance"], 0.25);
  EXPECT_NEAR(score["interval"]["low"].get<double>(), 0.101, 5e-4);
  EXPECT_EQ(job["runs"].size(), 1);
  EXPECT_EQ(ask(std::string("/api/v1/jobs/") + kJob + "/runs/1").status, 200);
  for (const char* target :
       {"/api/v1/jobs/0123456789abcdef/runs/2", "/api/v1/jobs/0123456789abcdef/runs/x",
        "/api/v1/jobs/0123456789abcde", "/api/v1/jobs/ffffffffffffffff"}) {
    EXPECT_EQ(ask(target).status, 404) << target;
  }
}

TEST_P(WebsiteTest, TheBoardIsNamedByItsRevision) {
  save_job("aa00000000000000", pb::JOB_STATE_DONE, 0.3);
  save_job("bb00000000000000", pb::JOB_STATE_DONE, 0.9);
  open();
  const Said said = ask("/api/v1/leaderboard?task=tinyMMLU");
  const Json board = said.json();
  ASSERT_EQ(board["items"].size(), 2);
  EXPECT_EQ(board["items"][0]["model"]["name"], "org/model-bb");
  EXPECT_EQ(board["items"][0]["rank"], (Json{{"best", 1}, {"worst", 1}, {"of", 2}}));
  const size_t at = said.head.find("ETag: ") + 6;
  const std::string tag = said.head.substr(at, said.head.find("\r\n", at) - at);
  EXPECT_EQ(ask("/api/v1/leaderboard?task=tinyMMLU", "If-None-Match: " + tag + "\r\n").status, 304);
  EXPECT_EQ(ask("/api/v1/leaderboard?task=tinyMMLU&q=aa", "If-None-Match: " + tag + "\r\n").status,
            200);
  const Json first = ask("/api/v1/leaderboard?task=tinyMMLU&limit=1").json();
  const std::string next = first["next"];
  const Json second = ask("/api/v1/leaderboard?task=tinyMMLU&limit=1&cursor=" + next).json();
  EXPECT_EQ(second["items"][0]["model"]["name"], "org/model-aa");
  EXPECT_EQ(second["first"], 2);
  EXPECT_THAT(ask("/api/v1/leaderboard.csv?task=tinyMMLU").body,
              HasSubstr("\r\n1,1,org/model-bb,3f9c21ab,float32,,0.9,"));
  EXPECT_EQ(ask("/api/v1/leaderboard?task=else").status, 404);
  EXPECT_EQ(ask("/api/v1/models/org/model-aa").json()["scores"][0]["rank"]["best"], 2);
  EXPECT_EQ(ask("/api/v1/models/org/modl").json()["near"].size(), 2);
  EXPECT_EQ(ask("/api/v1/models/dir/3f9c21ab").json()["runs"], 2);
}

TEST_P(WebsiteTest, WhatIsWrongIsADocument) {
  open();
  for (const auto& [target, status] :
       std::initializer_list<std::pair<const char*, int>>{{"/api/v1/nowhere", 404},
                                                          {"/api/v2/pool", 404},
                                                          {"/api", 404},
                                                          {"/api/v1/jobs?limit=0", 400},
                                                          {"/api/v1/jobs?what=1", 400},
                                                          {"/api/v1/jobs?cursor=abc", 400},
                                                          {"/api/v1/jobs?mine=true", 401},
                                                          {"/api/v1/events", 400},
                                                          {"/api/v1/events?topics=me", 401}}) {
    const Said said = ask(target);
    EXPECT_EQ(said.status, status) << target;
    EXPECT_THAT(said.head, HasSubstr("application/problem+json")) << target;
    EXPECT_EQ(said.json()["status"], status) << target;
  }
  const Said wrong_way = ask("/api/v1/pool", "", "DELETE");
  EXPECT_EQ(wrong_way.status, 405);
  EXPECT_THAT(wrong_way.head, HasSubstr("Allow: GET, HEAD"));
  EXPECT_EQ(ask("/", "", "POST").status, 405);
}

TEST_P(WebsiteTest, EveryAnswerIsForThisSiteAlone) {
  open();
  for (const char* target : {"/", "/nowhere", "/api/v1/pool", "/api/v1/else"}) {
    EXPECT_THAT(ask(target).head, AllOf(HasSubstr("Content-Security-Policy: default-src 'none'"),
                                        HasSubstr("X-Content-Type-Options: nosniff")))
        << target;
  }
}

TEST_P(WebsiteTest, EventsTellWhatChanges) {
  open();
  const Visitor reader(website_->port());
  reader.say("GET /api/v1/events?topics=pool HTTP/1.1\r\n\r\n");
  EXPECT_THAT(reader.hear("\r\n\r\n"), HasSubstr("text/event-stream"));
  website_->say_bye();
  EXPECT_THAT(reader.hear(), HasSubstr("event: bye"));
}

TEST_P(WebsiteTest, WithoutAServerItSaysSo) {
  is_away_ = true;
  save_job(kJob, pb::JOB_STATE_DONE);
  open();
  while (website_->silence().empty()) std::this_thread::yield();
  const Said said = ask("/api/v1/pool");
  EXPECT_EQ(said.status, 503);
  EXPECT_THAT(said.body, HasSubstr("no server answers at 127.0.0.1:30000"));
  EXPECT_EQ(ask("/api/v1/jobs").json()["items"].size(), 1);
}

// Both ways: what is there is described, and what is described is there, or is said not to be yet.
TEST(ApiDescription, IsOfTheRoutesThatThereAre) {
  io::Archive archive(io::DatabaseAddress::of_file(""));
  SharedBoard board;
  EventLog events("");
  const Routes routes = api_routes({archive, board, events, {}, {}});
  const auto description = parse_json(api_description(), 4 << 20);
  ASSERT_TRUE(description) << description.error().message;
  std::set<std::string> described, there;
  for (const auto& [path, operations] : (*description)["paths"].items()) {
    for (const auto& [method, operation] : operations.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      for (char& letter : upper) letter = static_cast<char>(std::toupper(letter));
      described.insert(upper + " " + path);
    }
  }
  for (const std::string& route : routes.list()) there.insert(route);
  for (const Json& route : (*description)["x-not-yet"]) {
    EXPECT_FALSE(there.contains(route)) << route << " is there";
    there.insert(route.get<std::string>());
  }
  EXPECT_EQ(described, there);
}

INSTANTIATE_TEST_SUITE_P(Databases, WebsiteTest,
                         testing::Values(io::Kind::kSqlite, io::Kind::kPostgres), io::name_of_kind);

}  // namespace
}  // namespace muster::web
