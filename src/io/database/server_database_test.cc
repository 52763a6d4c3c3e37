// What the server's database says is committed is there after it was opened again, and a server
// that another one has followed changes nothing and is told so.
#include "io/database/server_database.h"

#include <gtest/gtest.h>
#include <future>
#include <mutex>

#include "io/collecting_inbox.h"
#include "io/database/connection.h"
#include "io/database/databases_for_test.h"

namespace muster::io {
namespace {

constexpr int64_t kDay = 24 * 3600 * 1000, kToday = 20'000 * kDay;

// On both kinds of database.
class ServerDatabaseTest : public DatabaseTest {
 protected:
  std::unique_ptr<ServerDatabase> open(ServerDatabase::Listener listener = {},
                                       int64_t unix_ms = kToday) {
    auto opened = ServerDatabase::open(address(), answers, std::move(listener), unix_ms);
    if (opened) return std::move(*opened);
    ADD_FAILURE() << opened.error().message;
    std::abort();
  }

  static roles::Commit job_write(roles::WriteId id, const std::string& job, uint32_t run) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(run);
    row.set_state(pb::JOB_STATE_RUNNING);
    return {id, {roles::SaveJob{row}}};
  }
  // The only one that a query finds, from beside the server.
  [[nodiscard]] std::string text(const std::string& query) const {
    std::string text;
    open_connection(address())->session() << query, soci::into(text);
    return text;
  }
  roles::Outcome next_outcome() { return answers.wait<roles::Stored>().outcome; }

  CollectingInbox answers;
};

INSTANTIATE_TEST_SUITE_P(Both, ServerDatabaseTest,
                         ::testing::Values(Kind::kSqlite, Kind::kPostgres), name_of_kind);

class ServerOnSqliteTest : public ServerDatabaseTest {};
INSTANTIATE_TEST_SUITE_P(One, ServerOnSqliteTest, ::testing::Values(Kind::kSqlite), name_of_kind);
class ServerOnPostgresTest : public ServerDatabaseTest {};
INSTANTIATE_TEST_SUITE_P(One, ServerOnPostgresTest, ::testing::Values(Kind::kPostgres),
                         name_of_kind);

TEST_P(ServerDatabaseTest, TheLatestRunOfAJobIsThereAgainUnderAHigherEpoch) {
  uint64_t epoch = 0;
  {
    auto store = open();
    epoch = store->take_state().pool_epoch;
    for (uint32_t run : {1, 2}) store->commit(pb::ROLE_SERVER, job_write(run, "a", run));
    for ([[maybe_unused]] int i : {1, 2}) {
      EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    }
  }
  auto again = open();
  const auto state = again->take_state();
  EXPECT_GT(state.pool_epoch, epoch);
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].run(), 2u);
}

TEST_P(ServerDatabaseTest, AForgottenTwinIsToldAndChangesNothing) {
  std::promise<void> told;
  auto twin = open({.superseded = [&, once = false]() mutable {
    if (!std::exchange(once, true)) told.set_value();
  }});
  {
    auto next = open();
    told.get_future().wait();  // Without having written anything.
    twin->commit(pb::ROLE_SERVER, job_write(1, "a", 1));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kFailed);
  }
  twin.reset();
  EXPECT_TRUE(open()->take_state().live.empty());
}

TEST_P(ServerOnSqliteTest, CommitsNothingIntoAFileThatIsNotThereAnyMore) {
  auto store = open();
  const Path away = folder.string() + "-away";
  std::filesystem::rename(folder, away);
  store->commit(pb::ROLE_SERVER, job_write(1, "a", 1));
  const auto refused = answers.wait<roles::Stored>();
  EXPECT_EQ(refused.outcome, roles::Outcome::kFailed);
  EXPECT_TRUE(refused.why.starts_with("server.db was moved or deleted; ")) << refused.why;
  std::filesystem::rename(away, folder);
  store->commit(pb::ROLE_SERVER, job_write(2, "b", 1));
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  store.reset();
  const auto state = open()->take_state();
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].job(), "b");
}

// One start with a clock 40 days ahead once ended the retention of every job.
TEST_P(ServerDatabaseTest, BelievesAClockThatJumpsAWeekAndNoMore) {
  const auto ahead = [&](int64_t clock) { return open({}, clock)->clock_ahead().count(); };
  EXPECT_EQ(ahead(kToday), 0) << "a new pool counts from its clock";
  EXPECT_EQ(ahead(kToday + 6 * kDay), 0);
  for (int starts = 0; starts < 9; ++starts) EXPECT_EQ(ahead(kToday + 46 * kDay), 39 * kDay);
  EXPECT_EQ(ahead(kToday + 6 * kDay), 0) << "the clock was put right";
  EXPECT_EQ(ahead(kToday + 7 * kDay), 0);
}

pb::JobRow row_of(const std::string& job, uint32_t run, pb::JobState state, int64_t accepted_ms,
                  int64_t ended_ms) {
  pb::JobRow row;
  row.set_job(job);
  row.set_run(run);
  row.set_state(state);
  row.set_accepted_at_ms(accepted_ms);
  row.set_ended_at_ms(ended_ms);
  row.set_frozen_digest("digest");
  return row;
}

pb::Reason reason_of(const std::string& job, uint32_t run, uint64_t number, int64_t at_ms) {
  pb::Reason reason;
  reason.set_job(job);
  reason.set_run(run);
  reason.set_number(number);
  reason.set_machine("m" + std::to_string(number));
  reason.set_at_ms(at_ms);
  return reason;
}

// Three jobs: "aa" is over, in its second run; "ab" goes on; "b" is over.
roles::Commit three_jobs() {
  return {
      1,
      {roles::SaveJob{row_of("aa", 1, pb::JOB_STATE_DONE, 10, 20)},
       roles::SaveReason{reason_of("aa", 1, 2, 15)},
       roles::SaveJob{row_of("aa", 2, pb::JOB_STATE_FAILED, 30, 60)},
       roles::SaveReason{reason_of("aa", 2, 2, 50)},
       roles::SaveJob{row_of("ab", 1, pb::JOB_STATE_RUNNING, 40, 0)},
       roles::SaveReason{reason_of("ab", 1, 1, 41)}, roles::SaveReason{reason_of("ab", 1, 2, 42)},
       roles::SaveJob{row_of("b", 1, pb::JOB_STATE_CANCELLED, 20, 70)}}};
}

std::string names(const std::vector<pb::JobRow>& rows) {
  std::string names;
  for (const pb::JobRow& row : rows) names += row.job() + "/" + std::to_string(row.run()) + " ";
  return names;
}

TEST_P(ServerDatabaseTest, WhatIsOverIsFoundThereByWhoAsks) {
  auto database = open();
  database->commit(pb::ROLE_SERVER, three_jobs());
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  const auto find = [&](const std::string& named, const std::string& machine = "") {
    database->find(pb::ROLE_SERVER, {7, named, machine});
    const auto answer = answers.wait<roles::JobsFound>();
    EXPECT_EQ(answer.call, 7u);
    return answer.found.value_or(roles::FoundJobs());
  };
  const roles::FoundJobs all = find("");
  EXPECT_EQ(names(all.rows), "ab/1 aa/2 b/1 ") << "the latest run of each, accepted last first";
  EXPECT_EQ(all.in_all, 3u);
  const roles::FoundJobs one = find("aa", "m2");
  EXPECT_EQ(names(one.rows), "aa/2 ");
  ASSERT_EQ(one.reasons.size(), 1u) << "of the run before nothing is told";
  EXPECT_EQ(one.reasons[0].at_ms(), 50);
  ASSERT_EQ(one.reasons_of_machine.size(), 2u);
  EXPECT_EQ(one.reasons_of_machine[0].job(), "ab") << "by time";
  EXPECT_EQ(names(find("a").rows), "aa/2 ab/1 ");
  EXPECT_TRUE(find("a").reasons.empty());
  for (const char* nothing : {"c", "aaa", "a%", "' OR 1 = 1 --"}) {
    EXPECT_TRUE(find(nothing).rows.empty()) << nothing;
  }
  run_sql("UPDATE jobs SET row = 'zz' WHERE job = 'b'");
  database->find(pb::ROLE_SERVER, {8, "b", ""});
  const auto unreadable = answers.wait<roles::JobsFound>();
  ASSERT_FALSE(unreadable.found);
  EXPECT_NE(unreadable.found.error().message.find("where job = 'b' AND run = 1 cannot be read"),
            std::string::npos)
      << unreadable.found.error().message;
}

TEST_P(ServerDatabaseTest, AServerBeginsWithWhatGoesOnAndWhatIsKept) {
  auto database = open();
  database->commit(pb::ROLE_SERVER, three_jobs());
  EXPECT_EQ(next_outcome(), roles::Outcome::kDone);
  database.reset();
  database = open();
  const auto state = database->take_state();
  EXPECT_EQ(names(state.live), "ab/1 ");
  ASSERT_EQ(state.kept.size(), 2u);
  EXPECT_EQ(state.kept[0].run.job(), "b") << "what ended last first";
  EXPECT_EQ(state.kept[1].ended_at_ms, 60);
  EXPECT_EQ(state.kept[1].run.run(), 2u);
  EXPECT_EQ(state.reasons.size(), 2u) << "of what goes on alone";
}

// All of a commit, or none: what it saves belongs together.
TEST_P(ServerDatabaseTest, ACommitOfSeveralChangesIsOneTransaction) {
  auto database = open();
  pb::View view;
  view.set_number(7);
  roles::Commit commit = job_write(1, "a", 1);
  commit.changes.push_back(roles::SaveView{view});
  database->commit(pb::ROLE_SERVER, commit);
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  run_sql(is_postgres() ? "ALTER TABLE pool ADD CONSTRAINT no_more_views CHECK (view_number < 8)"
                        : "CREATE TRIGGER no_more BEFORE UPDATE OF view ON pool "
                          "BEGIN SELECT RAISE(ABORT, 'no_more_views'); END");
  view.set_number(8);
  commit = job_write(2, "b", 1);
  commit.changes.push_back(roles::SaveView{view});
  database->commit(pb::ROLE_SERVER, commit);
  const auto stored = answers.wait<roles::Stored>();
  EXPECT_EQ(stored.outcome, roles::Outcome::kFailed);
  EXPECT_NE(stored.why.find("no_more_views"), std::string::npos) << stored.why;
  database.reset();
  const auto state = open()->take_state();
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].job(), "a");
  EXPECT_EQ(state.view.number(), 7u);
}

// It used to be left out: an accepted job vanished without a word.
TEST_P(ServerDatabaseTest, ARowThatCannotBeReadIsNamedWithWhatToDo) {
  {
    auto database = open();
    database->commit(pb::ROLE_SERVER, job_write(1, "a", 3));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  }
  for (const char* row : {"0g", "0", "ffff", "zz"}) {
    run_sql("UPDATE jobs SET row = '" + std::string(row) + "'");
    const auto opened = ServerDatabase::open(address(), answers, {}, kToday);
    ASSERT_FALSE(opened) << row;
    EXPECT_EQ(opened.error().code, Code::kDisk);
    const std::string& why = opened.error().message;
    EXPECT_NE(why.find("table jobs where job = 'a' AND run = 3 cannot be read"), std::string::npos)
        << why;
    EXPECT_NE(why.find("DELETE FROM jobs WHERE job = 'a' AND run = 3"), std::string::npos) << why;
  }
  run_sql("DELETE FROM jobs WHERE job = 'a' AND run = 3");
  EXPECT_TRUE(ServerDatabase::open(address(), answers, {}, kToday));
}

// One bad row among them takes nobody else along.
TEST_P(ServerDatabaseTest, WhatWaitsIsCommittedTogetherAndElseOneByOne) {
  auto database = open();
  run_sql(is_postgres() ? "ALTER TABLE jobs ADD CONSTRAINT no_bad CHECK (job <> 'bad')"
                        : "CREATE TRIGGER no_bad BEFORE INSERT ON jobs WHEN NEW.job = 'bad' "
                          "BEGIN SELECT RAISE(ABORT, 'no_bad'); END");
  constexpr roles::WriteId kAll = 300;
  for (roles::WriteId id = 1; id <= kAll; ++id) {
    const std::string job = id % 100 == 50 ? "bad" : "job" + std::to_string(id);
    database->commit(pb::ROLE_SERVER, job_write(id, job, 1));
  }
  for (roles::WriteId id = 1; id <= kAll; ++id) {
    const auto stored = answers.wait<roles::Stored>();
    ASSERT_EQ(stored.id, id) << "in order";
    EXPECT_EQ(stored.outcome == roles::Outcome::kDone, id % 100 != 50) << id << stored.why;
  }
  database.reset();
  EXPECT_EQ(open()->take_state().live.size(), 297u);
}

TEST_P(ServerDatabaseTest, WhatPeopleAskForHasColumns) {
  auto database = open();
  pb::JobRow row = row_of("a", 1, pb::JOB_STATE_DONE, 10, 20);
  row.set_researcher("ada \u00e9");
  row.mutable_model()->set_name("org/model");
  row.mutable_request()->add_tasks("tinyMMLU");
  row.mutable_request()->add_tasks("tinyArc");
  row.set_reason(std::string("cut\0here", 8) + "\n; DROP TABLE jobs");
  pb::TaskResult* task = row.mutable_result()->add_tasks();
  task->set_task("tinyMMLU");
  pb::Metric* metric = task->add_metrics();
  metric->set_name("acc");
  metric->set_value(0.5);
  pb::TokenRow token;
  token.set_id("t1");
  token.set_hash(std::string("\0\xff", 2));
  token.set_role(pb::POOL_ROLE_RESEARCHER);
  database->commit(pb::ROLE_SERVER, {1, {roles::SaveJob{row}, roles::SaveToken{token}}});
  database->commit(pb::ROLE_SERVER, {2, {roles::SaveJob{row}}});
  for ([[maybe_unused]] int i : {1, 2}) EXPECT_EQ(next_outcome(), roles::Outcome::kDone);
  EXPECT_EQ(text("SELECT state || ' ' || researcher || ' ' || model || ' ' || tasks FROM jobs"),
            "done ada \u00e9 org/model tinyMMLU,tinyArc");
  EXPECT_EQ(text("SELECT reason FROM jobs"), "cut\uFFFDhere ; DROP TABLE jobs");
  EXPECT_EQ(text("SELECT task || ' ' || metric || ' ' || CAST(value AS TEXT) FROM results"),
            "tinyMMLU acc 0.5");
  EXPECT_EQ(text("SELECT COUNT(*) || '' FROM results WHERE stderr IS NULL"), "1");
  EXPECT_EQ(text("SELECT role || ' ' || token_hash FROM join_tokens"), "researcher 00ff");
}

TEST_P(ServerOnPostgresTest, ADatabaseThatWentAndCameBackHasLostNothing) {
  std::vector<std::string> news;
  std::mutex mutex;
  auto database = open({.news = [&](const std::string& one) {
    const std::lock_guard lock(mutex);
    news.push_back(one);
  }});
  database->commit(pb::ROLE_SERVER, job_write(1, "a", 1));
  EXPECT_EQ(next_outcome(), roles::Outcome::kDone);
  ASSERT_TRUE(PostgresForTest::get().run("kill"));
  database->commit(pb::ROLE_SERVER, job_write(2, "b", 1));
  EXPECT_EQ(next_outcome(), roles::Outcome::kFailed);
  database->commit(pb::ROLE_SERVER, job_write(3, "b", 1));
  const auto away = answers.wait<roles::Stored>();
  EXPECT_TRUE(away.why.starts_with("the database is away: postgresql://muster@/")) << away.why;
  EXPECT_FALSE(database->is_reachable());
  database->find(pb::ROLE_SERVER, {7, "", ""});
  EXPECT_EQ(answers.wait<roles::JobsFound>().found.error().code, Code::kTryLater);
  ASSERT_TRUE(PostgresForTest::get().run("start"));
  auto outcome = roles::Outcome::kFailed;
  for (roles::WriteId id = 4; outcome != roles::Outcome::kDone; ++id) {
    database->commit(pb::ROLE_SERVER, job_write(id, "b", 1));
    outcome = next_outcome();
  }
  database.reset();
  EXPECT_EQ(open()->take_state().live.size(), 2u);
  EXPECT_EQ(news.size(), 2u);
}

}  // namespace
}  // namespace muster::io
